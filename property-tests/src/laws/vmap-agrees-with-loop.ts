import {
  type Axes,
  failRange,
  failType,
  isTensor,
  leaves,
  mapTree,
  moveAxis,
  reshape,
  sameShape,
  showShape,
  slice,
  stack,
  type Tensor,
  type Tree,
  vjp,
  vmap,
} from '@tapeflow/autodiff'
import type fc from 'fast-check'
import { holds, type Inputs, type Law } from '../law.ts'
import { randomLike } from '../random-like.ts'

/** How `vmap` is compared with a loop. */
export interface VmapAgreesOptions {
  /** Along which axis the examples stand in the inputs: a number, null for what they share, or a tree of those. 0 by default. */
  readonly axes?: Axes
  /**
   * How far apart numbers may be, relative to the largest of the tensor that they are in, or 0.01; of gradients a
   * thousandth of what the cotangents sum up to, where that is more. 1e-4 by default.
   */
  readonly tolerance?: number
  /** `vmap` by default, or what is to be tested in its place. */
  readonly vmap?: typeof vmap
}

/**
 * The law that `vmap(f)` is the loop over examples: what comes out is `f` of one example after the other, stacked, and so are
 * the gradients with respect to every tensor that goes in, those that examples share among them, within rounding errors.
 *
 * @param f a function of one tree, made of operations: one example
 * @param arbitrary makes trees whose tensors hold several examples, along their first axis
 * @param options.axes along which axis the examples stand, where that is another one; null for what they share
 * @param options.tolerance relative to the largest number of a tensor, or 0.01, or for gradients a thousandth of what all cotangents
 * sum up to; 1e-4 by default
 * @param options.vmap what is tested; `vmap` by default
 * @returns a property for `fc.assert`
 * @example
 * const pair = fc.record({ x: tensors({ shape: [5, 2] }), w: tensors({ shape: [2] }) })
 * const f = ({ x, w }) => t.tanh(t.sum(t.mul(x, w)))
 * fc.assert(vmapAgreesWithLoop(f, pair, { axes: { x: 0, w: null } }), { numRuns: 5 })
 */
export function vmapAgreesWithLoop<S>(
  f: (inputs: Inputs<S>) => Tree,
  arbitrary: fc.Arbitrary<S>,
  options: VmapAgreesOptions = {},
): Law<S> {
  return holds(arbitrary, (inputs) => assertVmapAgreesWithLoop(f, inputs, options), {
    name: 'assertVmapAgreesWithLoop',
    f,
    options,
  })
}

/**
 * Asserts at one point what `vmapAgreesWithLoop` states for all.
 *
 * @throws RangeError that names the value or the gradient, the place, and both numbers
 * @example
 * assertVmapAgreesWithLoop((x) => t.softmax(x), t.tensor([[1, 2], [3, 4], [5, 7]]))
 */
export function assertVmapAgreesWithLoop<P>(
  f: (inputs: P) => Tree,
  inputs: P,
  options: VmapAgreesOptions = {},
): void {
  const { axes = 0, tolerance = 1e-4 } = options
  const mapped = (options.vmap ?? vmap)(f, { inAxes: [axes] })
  const batch = (at: P): readonly Tensor[] => leaves(mapped(at))
  const loop = (at: P): readonly Tensor[] => {
    const examples = examplesOf(at, axes).map((one) => leaves(f(one as P)))
    return examples[0]!.map((_, k) => stack(examples.map((one) => one[k]!)))
  }
  const [values, expected] = [batch(inputs), loop(inputs)]
  compare('value', values, expected, tolerance, 1e-2)
  const cotangent = randomLike(expected, 1)
  const gradients = leaves(vjp(batch, inputs, cotangent).gradients)
  // A gradient may be what is left of all cotangents, which float32 adds up to about a ten millionth of their sizes.
  const sizes = leaves(cotangent).flatMap((x) => Array.from(x.toFloat32Array(), Math.abs))
  const least = Math.max(1e-2, 1e-3 * sizes.reduce((sum, size) => sum + size, 0))
  compare('gradient', gradients, leaves(vjp(loop, inputs, cotangent).gradients), tolerance, least)
}

/** The trees of single examples. */
function examplesOf(tree: unknown, axes: Axes): readonly unknown[] {
  const found = { size: 0 }
  replaceMapped(tree, axes, (x) => {
    found.size = x.shape[0]!
    return x
  })
  if (found.size === 0)
    failRange('vmapAgreesWithLoop', 'at least one example is needed, got none', 'let axes name one')
  return Array.from({ length: found.size }, (_, i) =>
    replaceMapped(tree, axes, (x) => reshape(slice(x, i, i + 1), x.shape.slice(1))),
  )
}

/** The tree with what `change` gives in the place of tensors that hold examples, which it is given along the first axis. */
function replaceMapped(tree: unknown, axes: Axes, change: (x: Tensor) => Tensor): unknown {
  return mapTree(tree, (leaf, path) => {
    const axis = axisAt(axes, path)
    return isTensor(leaf) && axis !== null ? change(moveAxis(leaf, axis, 0)) : leaf
  })
}

function axisAt(axes: Axes, path: string): number | null {
  let found: unknown = axes
  for (const key of path.split('.')) {
    if (typeof found === 'number' || found === null) return found
    found = typeof found === 'object' ? Reflect.get(found, key) : undefined
  }
  if (typeof found === 'number' || found === null) return found
  return failType('vmapAgreesWithLoop', `axes have none for '${path}'`, 'pass a number, or null')
}

function compare(
  what: string,
  ours: readonly Tensor[],
  theirs: readonly Tensor[],
  tolerance: number,
  least: number,
): void {
  if (ours.length !== theirs.length)
    failRange('vmapAgreesWithLoop', `vmap gives ${ours.length} tensors, the loop ${theirs.length}`)
  for (const [k, left] of ours.entries()) {
    const right = theirs[k]!
    if (!sameShape(left.shape, right.shape)) {
      const shapes = `${showShape(left.shape)}, of the loop ${showShape(right.shape)}`
      failRange('vmapAgreesWithLoop', `${what} ${k} of vmap has shape ${shapes}`)
    }
    const [a, b] = [left.toFloat32Array(), right.toFloat32Array()]
    const largest = b.reduce((most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most), 0)
    const allowed = tolerance * Math.max(largest, least)
    const place = a.findIndex((x, i) => !Object.is(x, b[i]) && !(Math.abs(x - b[i]!) <= allowed))
    if (place < 0) continue
    failRange(
      'vmapAgreesWithLoop',
      `${what} ${k} of vmap is ${a[place]} at place ${place}, that of the loop ${b[place]}`,
      'check the batching rule, or that no example depends on another',
    )
  }
}
