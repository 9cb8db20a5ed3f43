import * as t from '@tapeflow/autodiff'
import type { Control, Hyper, Optimizer, Slots } from '@tapeflow/optim'

/** What stands before a step, and the loss on that step's data. */
export interface Moment<P> {
  readonly params: P
  readonly slots: Slots<string, P>
  readonly step: number
  readonly loss: number
}

/** What a training goes by. */
export interface Training<P, D> {
  readonly optimizer: Optimizer<string>
  readonly loss: (params: P, data: D) => t.Tensor
  readonly start: P
  /** What a step sees; made anew and freed at each. */
  readonly data: (step: number) => D
  readonly steps: number
  /** How the step is steered from outside. */
  readonly control?: () => Control
  /** Called before each step. */
  readonly visit?: (moment: Moment<P>) => void
}

/** The parameters after a training on other data at each step: a loop in which one can look around. For training there is `fit`. */
export function train<P extends t.Tree, D extends t.Tree>({
  optimizer,
  loss,
  start,
  data,
  steps,
  control,
  visit,
}: Training<P, D>): P {
  interface Carry {
    readonly params: P
    readonly slots: Slots<string, P>
  }
  type Step = { readonly next: Carry; readonly value: t.Tensor }
  type Found = { readonly value: t.Tensor; readonly gradients: unknown }
  const differentiate: (params: P, data: D) => Found = t.valueAndGrad<P, [D], t.Tensor>(loss)
  const step = t.compile<[Carry, D, Hyper], Step>(({ params, slots }, data, hyper) => {
    const { value, gradients } = differentiate(params, data)
    // Every tensor of a P is replaced by a tensor: still a P.
    return { next: optimizer.update(gradients as P, slots, params, hyper), value }
  })
  const begin: Carry = { params: start, slots: optimizer.init(start) }
  const end = t.fold(begin, Array(steps).keys(), (at, i) => {
    const { next, value } = step(at, data(i), optimizer.hyper(i, control?.()))
    visit?.({ ...at, step: i, loss: value.item() })
    return next
  })
  step.dispose()
  return end.params
}
