import * as t from '@tapeflow/autodiff'
import type { Layer, Loss } from '@tapeflow/nn'
import type { Hyper, Optimizer, Slots } from '@tapeflow/optim'

/** Parameters and state of a model: where a descent starts, and where it ends. */
export interface Place<P, S> {
  readonly params: P
  readonly state: S
}

/** What a descent goes by. */
export interface Descent<P> {
  readonly x: t.Tensor
  readonly y: t.Tensor
  readonly loss: Loss
  readonly optimizer: Optimizer<string>
  readonly steps: number
  /** What noise is drawn from; 0 by default. */
  readonly seed?: number
  /** Called before each step with the parameters and gradients there. */
  readonly visit?: (at: { readonly params: P; readonly gradients: P; readonly step: number }) => void
}

/**
 * Descends with the whole data at every step: a loop in which one can look around. For training there is `fit`.
 *
 * @returns the place where it ends, and the loss before each step
 */
export function descend<P extends t.Tree, S>(
  model: Layer<P, S>,
  { params, state }: Place<P, S>,
  { x, y, loss, optimizer, steps, seed = 0, visit }: Descent<P>,
): Place<P, S> & { readonly losses: readonly number[] } {
  type Passed = { readonly value: t.Tensor; readonly aux: S }
  const forward = (params: P, state: S, key: t.Key): Passed => {
    const applied = model.apply(params, state, x, { training: true, path: '', key })
    return { value: loss(applied.y, y), aux: applied.state }
  }
  type Found = Passed & { readonly gradients: unknown }
  const differentiate: (params: P, state: S, key: t.Key) => Found = t.valueAndGrad<P, [S, t.Key], Passed>(
    forward,
  )

  interface Carry extends Place<P, S> {
    readonly slots: Slots<string, P>
  }
  type Step = { readonly next: Carry; readonly gradients: P; readonly value: t.Tensor }
  const step = t.compile<[Carry, Hyper, t.Key], Step>((at, hyper, key) => {
    const { value, aux, gradients } = differentiate(at.params, at.state, key)
    // Every tensor of a P is replaced by a tensor: still a P.
    const updated = optimizer.update(gradients as P, at.slots, at.params, hyper)
    return { next: { ...updated, state: aux }, gradients: gradients as P, value }
  })

  const losses: number[] = []
  const begin: Carry = { params, state, slots: optimizer.init(params) }
  const end = t.fold(begin, Array(steps).keys(), (at, i) => {
    const { next, gradients, value } = step(at, optimizer.hyper(i), t.foldIn(t.key(seed), i))
    losses.push(value.item())
    visit?.({ params: at.params, gradients, step: i })
    return next
  })
  step.dispose()
  return { params: end.params, state: end.state, losses }
}

/** The output of a model at inference. */
export function predict<P, S>(model: Layer<P, S>, { params, state }: Place<P, S>, x: t.Tensor): t.Tensor {
  return model.apply(params, state, x, { training: false, path: '' }).y
}

/** The root of the mean square of all elements. */
export function rms(x: t.Tensor): number {
  return t.scope(() => t.sqrt(t.mean(t.square(x))).item())
}

/** The Euclidean norm of all tensors of a tree together. */
export function normOf(tree: t.Tree): number {
  return Math.hypot(...t.leaves(tree).map((x) => t.scope(() => t.sqrt(t.sum(t.square(x))).item())))
}
