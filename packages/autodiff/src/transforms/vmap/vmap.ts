import { failRange, failType } from '../../fail.ts'
import { Key } from '../../key.ts'
import { moveAxis } from '../../ops/move-axis.ts'
import { broadcastTo } from '../../ops/sum.ts'
import { checkOptions } from '../../options.ts'
import { showShape } from '../../shape.ts'
import { isTensor, type Tensor } from '../../tensor.ts'
import { inScope } from '../../tree.ts'
import { checkFunction } from '../functions.ts'
import { settle } from '../vjp.ts'
import { type Axes, checkedAxis, mapAxes } from './axes.ts'
import { type Examples, mapExamples, type RuleOf } from './map-examples.ts'
import { ruleOf } from './rules.ts'

/** Where the examples stand in what goes into a mapped function, and in what comes out. */
export interface VmapOptions {
  /** One axis for all arguments, or for each argument an axis, null to share it, or a tree of those. 0 by default. */
  readonly inAxes?: number | readonly Axes[]
  /** An axis of what comes out, null for what is the same for all examples, or a tree of those. 0 by default. */
  readonly outAxes?: Axes
}

/**
 * The function `f` of one example as a function of many: each tensor in the arguments has one more axis, along which the examples
 * stand, and so has each tensor that comes out. `[size, …]` goes in for `[…]`, and `[size, …]` comes out.
 *
 * It equals the loop over the examples, and so do its gradients. `f` is recorded once, on the shapes of one example, and every
 * operation then done for all examples at once, where it has a rule for that, else for one after the other. Results may
 * differ from the loop's by rounding: the order of additions depends on shapes. Per-sample gradients are
 * `t.vmap(t.grad(loss), { inAxes: [null, 0, 0] })`.
 *
 * Numbers, and what `f` uses from closures, are the same for all examples. A key gives example i the key `foldIn(key, i)`, and
 * is shared where its axis is null.
 *
 * @param f a pure function of trees, which returns a tree of tensors
 * @param options.inAxes along which axis examples stand in the arguments: a number for all of them, or an array with a
 * number, null (shared), or a tree of those for each; 0 by default
 * @param options.outAxes along which axis they stand in what comes out; 0 by default. Null gives what is the same for all as it is
 * @returns a function of the signature of `f`
 * @throws RangeError where the numbers of examples differ, or there is no such axis; RecordingError where `f` reads a value;
 * TypeError for axes that do not fit the arguments
 * @example
 * const dot = (a: t.Tensor, b: t.Tensor) => t.sum(t.mul(a, b))
 * const x = t.tensor([[1, 2], [3, 4], [5, 6]])
 * t.vmap(dot)(x, x).toArray() // => [5, 25, 61]
 * t.vmap(dot, { inAxes: [0, null] })(x, t.tensor([1, 0])).toArray() // => [1, 3, 5]
 * t.vmap(t.grad(dot), { inAxes: [null, 0] })(t.tensor([0, 0]), x).toArray() // => [[1, 2], [3, 4], [5, 6]]
 * t.vmap((row: t.Tensor) => t.mul(row, 2), { inAxes: 1, outAxes: 1 })(x).shape // => [3, 2]
 */
export function vmap<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  options: VmapOptions = {},
): (...args: A) => R {
  return vmapWith(ruleOf, f, options)
}

/**
 * As `vmap`, but without rules: every operation is applied to one example after the other. For tests.
 *
 * @example
 * const x = t.tensor([[1, 2], [3, 4]])
 * vmapByExample((row: t.Tensor) => t.sum(row))(x).toArray() // => [3, 7]
 */
export function vmapByExample<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  options: VmapOptions = {},
): (...args: A) => R {
  return vmapWith(() => null, f, options)
}

function vmapWith<A extends readonly unknown[], R>(
  rules: RuleOf,
  f: (...args: A) => R,
  options: VmapOptions,
): (...args: A) => R {
  checkFunction('vmap', f)
  checkOptions('vmap', options, ['inAxes', 'outAxes'])
  const { inAxes = 0, outAxes = 0 } = options
  if (typeof inAxes !== 'number' && !Array.isArray(inAxes)) {
    failType('vmap', 'inAxes must be a number, or an array with an axis for each argument', 'pass [0, null]')
  }
  return (...args) =>
    inScope((scope) => {
      const { size, inputs, keys } = examplesIn(args, inAxes)
      const run = mapExamples<unknown>(
        'vmap',
        scope,
        (one, oneKey) => {
          let [nextInput, nextKey] = [0, 0]
          const again: unknown = mapAxes(
            args,
            inAxes,
            (leaf, axis) => {
              if (axis === null) return leaf
              return leaf instanceof Key ? oneKey[nextKey++] : one[nextInput++]
            },
            '',
          )
          // Each leaf in the place of one of its kind: still an A.
          return f(...(again as A))
        },
        tensorsIn,
        { size, inputs, keys },
        rules,
      )
      const result = mapAxes(
        run.returned,
        outAxes,
        (leaf, axis, path) => {
          if (leaf instanceof Key) {
            return failType(
              'vmap',
              `results must hold tensors and numbers, got a Key at '${path}'`,
              'return what is drawn with it',
            )
          }
          const value = run.valueOf(leaf)
          if (axis === null) {
            if (value === null) return settle(leaf, scope)
            return failType(
              'vmap',
              `the result at '${path}' differs between examples, got axis null`,
              'pass an axis of it',
            )
          }
          const whole = value ?? broadcastTo(leaf, [size, ...leaf.shape])
          return moveAxis(whole, 0, checkedAxis(leaf, axis, leaf.rank + 1, path))
        },
        '',
      )
      // Every tensor replaced by a tensor.
      return result as R
    })
}

function examplesIn(args: readonly unknown[], inAxes: Axes): Examples {
  const inputs: Tensor[] = []
  const keys: Key[] = []
  let size: number | undefined
  let first = ''
  const take = (leaf: Tensor | Key, axis: number | null, path: string): null => {
    if (axis === null) return null
    if (leaf instanceof Key) {
      keys.push(leaf)
      return null
    }
    const from = checkedAxis(leaf, axis, leaf.rank, path)
    const examples = leaf.shape[from]!
    if (size === undefined) [size, first] = [examples, path]
    if (size !== examples) {
      const shape = showShape(leaf.shape)
      failRange(
        'vmap',
        `numbers of examples differ, got ${size} at '${first}' and ${examples} at '${path}' of shape ${shape}`,
        'pass null in inAxes for what all examples share',
      )
    }
    inputs.push(moveAxis(leaf, from, 0))
    return null
  }
  mapAxes(args, inAxes, take, '')
  if (size === undefined) {
    failRange(
      'vmap',
      'no tensor in the arguments has an axis for examples',
      'map over one, or call the function itself',
    )
  }
  return { size, inputs, keys }
}

function tensorsIn(tree: unknown): readonly Tensor[] {
  const found: Tensor[] = []
  const collect = (leaf: unknown): null => {
    if (isTensor(leaf)) found.push(leaf)
    return null
  }
  mapAxes(tree, 0, collect, '')
  return found
}
