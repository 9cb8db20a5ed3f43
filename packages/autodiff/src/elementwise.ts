import { applyTo, type Operand } from './apply.ts'
import type { Loop } from './kernels/emit.ts'
import type { Value } from './kernels/expression.ts'
import { loopOf, numberOf } from './kernels/loops.ts'
import { defineOperation, type Operation } from './operation.ts'
import { summedTo } from './ops/sum.ts'
import { broadcastPair, broadcastStrides, isSuffix, type Shape, sizeOf } from './shape.ts'
import type { Tensor } from './tensor.ts'

/** What an elementwise operation is declared by; everything else follows. */
export interface Elementwise<
  I extends readonly Tensor[],
  N extends readonly unknown[],
  V extends readonly unknown[],
> {
  readonly name: string
  readonly doc: string
  /** The specification, on one number of each input. */
  readonly reference: (...inputs: N) => number
  /** The same in float32x4 values: the loop is emitted from it. */
  readonly expression: (...inputs: V) => Value
  /** Each input's cotangent, as if nothing were broadcast; null where there is none. */
  readonly vjp: readonly (((cotangent: Tensor, output: Tensor, ...inputs: I) => Tensor) | null)[]
}

/** The attributes of operations that have none. */
export const none: Record<never, never> = {}

/** Attributes of operations that have none. */
export type None = typeof none

function elementwise<I extends readonly Tensor[]>(
  declared: Elementwise<I, readonly number[], readonly Value[]>,
): Operation<None, I> {
  const loops = new Map<string, Loop>()
  const loop = (pattern: string): Loop => {
    let found = loops.get(pattern)
    if (found === undefined) {
      found = loopOf(`${numberOf(made)}`, declared.expression, pattern)
      loops.set(pattern, found)
    }
    return found
  }
  // Loops that are found without their pattern: of equal shapes, with a scalar on the right, and of three by which are scalars.
  let equal: Loop | undefined
  let byScalar: Loop | undefined
  const ofThree: Loop[] = []
  const kernel = (output: Tensor, inputs: I): void => {
    const a = inputs[0]!
    const { size } = output
    if (inputs.length === 1) {
      equal ??= loop('v')
      equal(output.offset, 1, size, a.offset, 0)
      return
    }
    if (inputs.length === 2 && a.size === size) {
      const b = inputs[1]!
      if (b.size === size) {
        equal ??= loop('vv')
        equal(output.offset, 1, size, a.offset, 0, b.offset, 0)
        return
      }
      if (b.size === 1) {
        byScalar ??= loop('vs')
        byScalar(output.offset, 1, size, a.offset, 0, b.offset, 0)
        return
      }
    }
    if (inputs.length === 3) {
      const b = inputs[1]!
      const c = inputs[2]!
      const scalars = (a.size === size ? 0 : 4) + (b.size === size ? 0 : 2) + (c.size === size ? 0 : 1)
      const most = (scalars & 4 ? a.size : 1) * (scalars & 2 ? b.size : 1) * (scalars & 1 ? c.size : 1)
      if (most === 1) {
        ofThree[scalars] ??= loop(patternsOfThree[scalars]!)
        ofThree[scalars](output.offset, 1, size, a.offset, 0, b.offset, 0, c.offset, 0)
        return
      }
    }
    run(loop, output, inputs)
  }
  const made = defineOperation<None, I>({
    name: declared.name,
    doc: declared.doc,
    shape: (inputs) => {
      let shape = inputs[0]!.shape
      for (let i = 1; i < inputs.length; i++) {
        const other = inputs[i]!.shape
        if (other !== shape) shape = broadcastPair(declared.name, shape, other)
      }
      return shape
    },
    reference: (inputs, _, shape) => {
      const strides = inputs.map((x) => broadcastStrides(x.shape, shape))
      const result = new Float64Array(sizeOf(shape))
      const index = new Array<number>(shape.length).fill(0)
      for (let i = 0; i < result.length; i++) {
        result[i] = declared.reference(...inputs.map((x, k) => x.values[dot(index, strides[k]!)]!))
        for (let axis = shape.length - 1; axis >= 0 && ++index[axis]! === shape[axis]; axis--) index[axis] = 0
      }
      return result
    },
    kernel,
    expression: declared.expression,
    inPlace: true,
    vjp: declared.vjp.map((rule, i) =>
      rule === null ? null : (g, y, inputs) => summedTo(rule(g, y, ...inputs), inputs[i]!.shape),
    ),
  })
  return made
}

/** The place of an element: its index on each axis times the stride there. */
export function dot(index: readonly number[], strides: readonly number[]): number {
  let sum = 0
  for (let i = 0; i < index.length; i++) sum += index[i]! * strides[i]!
  return sum
}

// One call of a loop does an inner run and one outer axis. That covers equal shapes, scalars, rows, columns and outer
// products; more axes are walked here.
function run(loop: (pattern: string) => Loop, output: Tensor, inputs: readonly Tensor[]): void {
  const a = inputs[0]!
  const b = inputs[1]!
  const size = output.size
  if (inputs.length === 2) {
    if (a.size === size) {
      if (isSuffix(b.shape, output.shape)) {
        loop('vv')(output.offset, size / b.size, b.size, a.offset, b.size * 4, b.offset, 0)
        return
      }
      if (isColumn(b.shape, output.shape)) {
        loop('vs')(output.offset, b.size, size / b.size, a.offset, (size / b.size) * 4, b.offset, 4)
        return
      }
    } else if (b.size === size) {
      if (a.size === 1) {
        loop('sv')(output.offset, 1, size, a.offset, 0, b.offset, 0)
        return
      }
      if (isSuffix(a.shape, output.shape)) {
        loop('vv')(output.offset, size / a.size, a.size, a.offset, 0, b.offset, a.size * 4)
        return
      }
      if (isColumn(a.shape, output.shape)) {
        loop('sv')(output.offset, a.size, size / a.size, a.offset, 4, b.offset, (size / a.size) * 4)
        return
      }
    }
  }
  runAnyShape(loop, output, inputs)
}

// Whether one element is for a whole run of the output's: the last axes are 1, the ones before are the output's.
function isColumn(shape: Shape, output: Shape): boolean {
  if (shape.length !== output.length) return false
  let axis = 0
  while (axis < shape.length && shape[axis] === output[axis]) axis++
  while (axis < shape.length && shape[axis] === 1) axis++
  return axis === shape.length
}

// By which inputs are scalars, the last one in the lowest bit.
const patternsOfThree = ['vvv', 'vvs', 'vsv', 'vss', 'svv', 'svs', 'ssv', 'sss']

function runAnyShape(loop: (pattern: string) => Loop, output: Tensor, inputs: readonly Tensor[]): void {
  const { sizes, strides } = mergeAxes(
    output.shape,
    inputs.map((x) => broadcastStrides(x.shape, output.shape)),
  )
  const inner = sizes.length - 1
  const pattern = strides.map((own) => (own[inner] === 0 ? 's' : 'v')).join('')
  const call = loop(pattern)
  const innerSize = sizes[inner]!
  const outerSize = sizes[inner - 1] ?? 1
  const repeats = output.size / (innerSize * outerSize)
  const index = new Array<number>(Math.max(0, inner - 1)).fill(0)
  for (let repeat = 0; repeat < repeats; repeat++) {
    const pairs: number[] = []
    for (const [k, own] of strides.entries()) {
      pairs.push(inputs[k]!.offset + 4 * dot(index, own), 4 * (own[inner - 1] ?? 0))
    }
    call(output.offset + repeat * outerSize * innerSize * 4, outerSize, innerSize, ...pairs)
    for (let axis = index.length - 1; axis >= 0 && ++index[axis]! === sizes[axis]; axis--) index[axis] = 0
  }
}

/** Neighbouring axes that every input walks as one become one; there is always one. */
export function mergeAxes(
  shape: Shape,
  strides: readonly number[][],
): { sizes: number[]; strides: number[][] } {
  const sizes: number[] = []
  const merged: number[][] = strides.map(() => [])
  for (let axis = 0; axis < shape.length; axis++) {
    const size = shape[axis]!
    if (size === 1) continue
    const last = sizes.length - 1
    if (last >= 0 && strides.every((own, k) => merged[k]![last] === own[axis]! * size)) {
      sizes[last]! *= size
      for (const [k, own] of strides.entries()) merged[k]![last] = own[axis]!
    } else {
      sizes.push(size)
      for (const [k, own] of strides.entries()) merged[k]!.push(own[axis]!)
    }
  }
  if (sizes.length === 0) {
    sizes.push(1)
    for (const own of merged) own.push(0)
  }
  return { sizes, strides: merged }
}

type Rule<I extends readonly Tensor[]> = (cotangent: Tensor, output: Tensor, ...inputs: I) => Tensor

/** Declares an elementwise operation of one input. */
export function unary(declared: {
  name: string
  doc: string
  reference: (x: number) => number
  expression: (x: Value) => Value
  vjp: Rule<[x: Tensor]> | null
}): Operation<None, [Tensor]> {
  return elementwise<[Tensor]>({ ...declared, vjp: [declared.vjp] } as Elementwise<
    [Tensor],
    readonly number[],
    readonly Value[]
  >)
}

/** Declares an elementwise operation of two inputs, which broadcast. */
export function binary(declared: {
  name: string
  doc: string
  reference: (a: number, b: number) => number
  expression: (a: Value, b: Value) => Value
  vjp: readonly [Rule<[a: Tensor, b: Tensor]> | null, Rule<[a: Tensor, b: Tensor]> | null]
}): Operation<None, [Tensor, Tensor]> {
  return elementwise<[Tensor, Tensor]>(
    declared as Elementwise<[Tensor, Tensor], readonly number[], readonly Value[]>,
  )
}

/** Declares an elementwise operation of three inputs, which broadcast. */
export function ternary(declared: {
  name: string
  doc: string
  reference: (a: number, b: number, c: number) => number
  expression: (a: Value, b: Value, c: Value) => Value
  vjp: readonly (Rule<[a: Tensor, b: Tensor, c: Tensor]> | null)[]
}): Operation<None, [Tensor, Tensor, Tensor]> {
  return elementwise<[Tensor, Tensor, Tensor]>(
    declared as Elementwise<[Tensor, Tensor, Tensor], readonly number[], readonly Value[]>,
  )
}

/** Applies an elementwise operation to tensors or numbers. */
export function applyUnary(operation: Operation<None, [Tensor]>, x: Operand): Tensor {
  return applyTo(operation, [x], none)
}

/** Applies an elementwise operation to tensors or numbers. */
export function applyBinary(operation: Operation<None, [Tensor, Tensor]>, a: Operand, b: Operand): Tensor {
  return applyTo(operation, [a, b], none)
}
