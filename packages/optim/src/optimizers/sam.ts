import {
  abs,
  add,
  div,
  greater,
  knownOptions,
  mul,
  scope,
  square,
  type Tensor,
  where,
} from '@tapeflow/autodiff'
import { around } from '../around.ts'
import { checkOptimizer, failWithoutEvaluate } from '../check-optimizer.ts'
import { globalNorm } from '../global-norm.ts'
import { leafwise } from '../leafwise.ts'
import type { Optimizer } from '../optimizer.ts'
import { negligible, notNegative } from '../range.ts'

/** What `sam` takes beside an optimizer. */
export interface SamOptions {
  /** ρ: how far from the parameters the gradient is taken, from 0 on; 0.05 by default. */
  readonly radius?: number
  /** Whether distances are measured in shares of each weight, so that scaling weights changes nothing; false by default. */
  readonly adaptive?: boolean
}

/**
 * An optimizer that seeks flat minima: it is given the gradient at the worst place nearby, uphill from the parameters.
 *
 *     e = ρ g / ‖g‖                  over all leaves together; 0 where ‖g‖ is 0, or below 2e-38 ρ
 *     e = ρ W² g / ‖|W| g‖           `adaptive`: ρ about ten times as large
 *     W = the inner optimizer's update of W with the gradient at W + e
 *
 * The gradient there comes from `evaluate`, which `fit` passes to every update: a step costs two. With radius 0 it is the inner
 * optimizer at the cost of two gradients, so that overrides may switch it off and on. The paper of the adaptive form adds 0.01 to |W|,
 * which is left out here: weights that are 0 are not moved. Neither Keras nor PyTorch has it.
 *
 * @param optimizer any optimizer: its slots and hyperparameters keep their names
 * @returns an optimizer with the slots of the inner one, and its hyperparameters and `radius`
 * @throws RangeError where a number is out of range; TypeError where it is none, what it is given is no optimizer, or, at an update,
 * where `evaluate` is missing
 * @example
 * const optimizer = sam(sgd({ learningRate: 1 }), { radius: 0.5 })
 * const look = t.valueAndGrad((w: t.Tensor) => t.mul(t.square(w), 0.5))
 * const w = t.tensor(4)
 * optimizer.update(look(w).gradients, optimizer.init(w), w, optimizer.hyper(0), look).params.item() // => -0.5
 *
 * Foret, Kleiner, Mobahi & Neyshabur 2021, Sharpness-aware minimization for efficiently improving generalization; adaptive: Kwon, Kim,
 * Park & Choi 2021, ASAM.
 */
export function sam<K extends string>(optimizer: Optimizer<K>, options: SamOptions = {}): Optimizer<K> {
  const name = 'sam'
  const { radius = 0.05, adaptive = false } = knownOptions(name, options, 'radius adaptive')
  checkOptimizer(name, optimizer)
  const { hyperparameters, hyper, own } = around(optimizer, {
    name,
    slots: [],
    values: { radius },
    ranges: { radius: notNegative },
    numbers: (now) => now,
  })
  return {
    name,
    hyperparameters,
    ...(optimizer.eager === true && { eager: true }),
    init: (params) => optimizer.init(params),
    update: (gradients, slots, params, hyper, evaluate) => {
      if (evaluate === undefined) failWithoutEvaluate(name)
      return scope(() => {
        const radius = own(hyper)('radius')
        const ahead = scope(() => {
          const factor = adaptive
            ? shareOf(radius, leafwise(name, [], gradients, {}, params, (w, g) => [mul(abs(w), g)]).params)
            : shareOf(radius, gradients)
          const moved = leafwise(name, [], gradients, {}, params, (w, g) => [
            add(w, mul(adaptive ? mul(square(w), g) : g, factor)),
          ])
          return evaluate(moved.params).gradients
        })
        return optimizer.update(ahead, slots, params, hyper, evaluate)
      })
    },
    hyper,
  }
}

/** What a tree is to be multiplied with to be `radius` long; 0 where it has next to no length. */
function shareOf(radius: Tensor, tree: unknown): Tensor {
  return scope(() => {
    const length = globalNorm(tree)
    const any = greater(length, mul(radius, negligible))
    return where(any, div(radius, where(any, length, 1)), 0)
  })
}
