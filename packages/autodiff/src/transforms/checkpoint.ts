import type { Step } from '../compile/scan-body.ts'
import { scanSteps } from '../compile/scan-operation.ts'
import { reshape } from '../ops/reshape.ts'
import { inScope, leaves, mapTensors } from '../tree.ts'
import { checkFunction, refuseAsynchronous } from './functions.ts'

/**
 * The function `f`, of which a gradient keeps the arguments and the results alone: everything in between is made again on the
 * way back. That takes less memory and, in gradients, one more pass forward. Values keep their bits, and so do gradients, but
 * for the order of additions where one value is returned in two places, or as it came.
 *
 * What `f` uses from closures gets gradients too; what it makes of closures alone is made before, and kept. Inside of `scan`
 * it keeps what a step makes from being kept for that step's gradient.
 *
 * @param f a pure function of trees that returns a tree of tensors
 * @throws RecordingError where `f` reads a value: it is recorded, and run as a program; TypeError for arguments that are no
 * trees: what is a text or a boolean comes from a closure
 * @example
 * const layer = t.checkpoint((x: t.Tensor) => t.tanh(t.mul(x, t.exp(x))))
 * layer(t.tensor([0, 1])).toArray()[0] // => 0
 * t.grad((x: t.Tensor) => t.sum(layer(x)))(t.tensor([0])).toArray() // => [1]
 *
 * Griewank & Walther 2000, Revolve: an implementation of checkpointing; Chen et al. 2016, Training deep nets with sublinear memory cost.
 */
export function checkpoint<A extends readonly unknown[], R>(f: (...args: A) => R): (...args: A) => R {
  checkFunction('checkpoint', f)
  return (...args) =>
    inScope(() => {
      // A scan of one step: what that makes in between is its own, and its gradient makes it again.
      let returned: R | undefined
      const given = [...new Set(leaves(args))]
      const step: Step = ({ whole }) => {
        const stand = new Map(given.map((x, i) => [x, whole[i]!]))
        const again: unknown = mapTensors<unknown>(args, (x) => stand.get(x)!)
        // Every tensor replaced by a tensor: still an A.
        returned = f(...(again as A))
        refuseAsynchronous('checkpoint', returned)
        return { carry: [], ys: leaves(returned) }
      }
      const once = { length: 1, reverse: false, keys: [], firstRow: 0 }
      const { ys } = scanSteps('checkpoint', step, { carry: [], xs: [], whole: given }, once)
      let next = 0
      const result: unknown = mapTensors<unknown>(returned, (x) => reshape(ys[next++]!, x.shape))
      return result as R
    })
}
