import { apply } from '../../apply.ts'
import { type Composed, type Pass, pulledShapes, unpacked } from '../../fused.ts'
import type { Batching, Operation } from '../../operation.ts'
import { reshape } from '../../ops/reshape.ts'
import { broadcastTo } from '../../ops/sum.ts'
import type { Transposed } from '../../product-shape.ts'
import type { Shape } from '../../shape.ts'
import { Tensor } from '../../tensor.ts'
import { inScope, isPlain } from '../../tree.ts'
import { customRule } from './custom-rule.ts'
import { type BatchingRule, mapExamples } from './map-examples.ts'

/** The rule of an operation: its own, or what follows from its being elementwise, a reduction, or a composition of others. */
export function ruleOf(operation: Operation): BatchingRule | null {
  const { batch, expression, reduces } = operation
  if (isComposed(operation)) return composition(operation)
  if (typeof batch === 'string') return placed[batch](operation)
  if (operation.effect === true) return check(operation)
  if (batch === undefined) {
    if (expression !== undefined) return elementwise(operation)
    return reduces === undefined ? null : placed.axes(operation)
  }
  return (...given) => {
    const made = batch(...given)
    return typeof made === 'string' ? placed[made](operation)(...given) : made
  }
}

// The numbers of all examples, with places counted within each.
function check(operation: Operation): BatchingRule {
  return ([x], attributes, _, size) =>
    apply(operation, [x!], Object.assign({ each: x!.size / size }, attributes))
}

// Shapes are matched from the last axis, so that of the examples must stand in front of all others.
function elementwise(operation: Operation): BatchingRule {
  return (inputs, attributes, isBatched, size) => {
    // What is broadcast to a shape is broadcast to that for each example.
    const further = behindExamples(attributes, size)
    const rank = shapeIn(further)?.length ?? rankOf(inputs, isBatched)
    const aligned = inputs.map((x, i) => (isBatched[i] ? withRank(x, rank) : x))
    return apply(operation, aligned, further)
  }
}

function rankOf(inputs: readonly Tensor[], isBatched: readonly boolean[]): number {
  return Math.max(...inputs.map((x, i) => (isBatched[i] ? x.rank : x.rank + 1)))
}

// Of a higher rank, with axes of size 1 behind the first.
function withRank(x: Tensor, rank: number): Tensor {
  const [size, ...shape] = x.shape
  return reshape(x, [size!, ...new Array<number>(rank - x.rank).fill(1), ...shape])
}

const placed: Readonly<Record<Batching, (operation: Operation) => BatchingRule>> = {
  axes: (operation) => (inputs, attributes, isBatched, size) =>
    apply(operation, forAll(inputs, isBatched, size), behindExamples(attributes, size)),
  first: (operation) => (inputs, attributes, isBatched, size) =>
    isFirstAlone(isBatched) ? apply(operation, inputs, behindExamples(attributes, size)) : null,
  rows: (operation) => (inputs, attributes, isBatched, size) =>
    apply(operation, forAll(inputs, isBatched, size).map(joined), attributes),
  firstRows: (operation) => (inputs, attributes, isBatched) =>
    isFirstAlone(isBatched) ? apply(operation, [joined(inputs[0]!), ...inputs.slice(1)], attributes) : null,
  custom: (operation) => customRule(operation, ruleOf),
  product: (operation) => (inputs, attributes, isBatched, size) =>
    apply(operation, ...asMatrices(inputs, attributes, isBatched, size)),
}

// Examples that are vectors become matrices, a row on the left, a column on the right.
function asMatrices(
  inputs: readonly Tensor[],
  attributes: unknown,
  isBatched: readonly boolean[],
  size: number,
): readonly [readonly Tensor[], unknown] {
  const ranks = inputs.map((x, i) => (isBatched[i] ? x.rank - 1 : x.rank))
  // Vectors that differ, and the matrix that they share: the rows of one product.
  if (!isBatched[0] && ranks[0] === 2 && ranks[1] === 1) {
    const { transposeA } = attributes as Transposed
    return [inputs.toReversed(), { transposeA: false, transposeB: !transposeA }]
  }
  const rank = Math.max(2, ...ranks)
  const matrices = inputs.map((x, i) => {
    if (!isBatched[i]) return x
    const shape = x.shape.slice(1)
    if (shape.length === 1) shape.splice(i, 0, 1)
    return reshape(x, [size, ...new Array<number>(rank - shape.length).fill(1), ...shape])
  })
  return [matrices, attributes]
}

const isFirstAlone = (isBatched: readonly boolean[]): boolean => isBatched.lastIndexOf(true) === 0

// What examples share is repeated for each.
function forAll(inputs: readonly Tensor[], isBatched: readonly boolean[], size: number): readonly Tensor[] {
  return inputs.map((x, i) => (isBatched[i] ? x : broadcastTo(x, [size, ...x.shape])))
}

// The rows of all examples behind each other.
function joined(x: Tensor): Tensor {
  const [size, rows, ...shape] = x.shape
  return reshape(x, [size! * rows!, ...shape])
}

function behindExamples(attributes: unknown, size: number): unknown {
  if (!isPlain(attributes)) return attributes
  const { axis, axes, order, begin, end, widths } = attributes
  const shape = shapeIn(attributes)
  return {
    ...attributes,
    ...(Array.isArray(order) && { order: [0, ...order.map((one: number) => one + 1)] }),
    ...(Array.isArray(begin) && { begin: [0, ...begin] }),
    ...(Array.isArray(end) && { end: [size, ...end] }),
    ...(Array.isArray(widths) && { widths: [[0, 0], ...widths] }),
    ...(typeof axis === 'number' && { axis: axis + 1 }),
    ...(Array.isArray(axes) && { axes: axes.map((one: number) => one + 1) }),
    ...(shape !== null && { shape: [size, ...shape] }),
  }
}

function shapeIn(attributes: unknown): readonly number[] | null {
  return isPlain(attributes) && Array.isArray(attributes['shape']) ? attributes['shape'] : null
}

function isComposed(operation: Operation): operation is Composed<unknown> {
  return 'composition' in operation
}

// What a fused operation stands for is recorded, and done for all examples, where it cannot be done as it is.
function composition(operation: Composed<unknown>): BatchingRule {
  return (...given) => {
    const [inputs, attributes, isBatched, size] = given
    const { batch } = operation
    const found = typeof batch === 'function' ? batch(...given) : (batch ?? null)
    if (typeof found !== 'string') return found ?? composed(operation, ...given)
    const whole = placed[found](operation)(...given)
    if (!(whole instanceof Tensor)) return composed(operation, ...given)
    if (!isPass(attributes)) return whole
    const shapeOf = (x: Tensor, i: number): Shape => (isBatched[i] ? x.shape : [size, ...x.shape])
    const shaped = inputs.map((x, i) => ({ shape: shapeOf(x, i) }))
    return unpacked(whole, pulledShapes(shaped, attributes))
  }
}

const isPass = (attributes: unknown): attributes is Pass<unknown> =>
  isPlain(attributes) && 'wanted' in attributes

function composed(
  operation: Composed<unknown>,
  ...[inputs, attributes, isBatched, size]: Parameters<BatchingRule>
): readonly Tensor[] {
  return inScope((scope) => {
    const run = mapExamples(
      operation.name,
      scope,
      (examples) => {
        let next = 0
        const all = inputs.map((x, i) => (isBatched[i] ? examples[next++]! : x))
        return operation.composition(all, attributes)
      },
      (results) => results,
      { size, inputs: inputs.filter((_, i) => isBatched[i]), keys: [] },
      ruleOf,
    )
    // Under names of their own: a result may be an input as it came.
    return run.returned.map((x) => {
      const shape = [size, ...x.shape]
      return reshape(run.valueOf(x) ?? broadcastTo(x, shape), shape)
    })
  })
}
