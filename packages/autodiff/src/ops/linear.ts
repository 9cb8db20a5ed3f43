import { apply, tensorOperand } from '../apply.ts'
import { type None, none } from '../elementwise.ts'
import { failRange } from '../fail.ts'
import { ordinary } from '../info.ts'
import { type WasmKernels, wasm } from '../kernels/wasm.ts'
import {
  type Draw,
  defineOperation,
  type Operation,
  type OperationInfo,
  type Sample,
  type Shaped,
} from '../operation.ts'
import { sizeBetween } from '../reduction.ts'
import { type Shape, showShape } from '../shape.ts'
import { isPlanned } from '../tape.ts'
import { type Tensor, tensor } from '../tensor.ts'
import { add, addOperation } from './add.ts'
import { matmul, matmulOperation, multiplied } from './matmul.ts'
import { reshape } from './reshape.ts'
import { summedTo } from './sum.ts'

const rowsOf = ({ shape }: Shaped): number => sizeBetween(shape, 0, shape.length - 1)

const asRows = (x: Tensor, width: number): Tensor => (x.rank === 2 ? x : reshape(x, [rowsOf(x), width]))

export const linearOperation: Operation<None, readonly Tensor[]> = /*@__PURE__*/ defineOperation<
  None,
  readonly Tensor[]
>({
  name: 'linear',
  doc: 'x w + b along the last axis',
  shape: (inputs) => {
    const x = inputs[0]!.shape
    const w = inputs[1]!.shape
    if (x.length === 0) failRange('linear', 'a scalar has no last axis', 'reshape it to [1]')
    if (w.length !== 2) failRange('linear', `the weight must be a matrix [in, out], got ${showShape(w)}`)
    const out = w[1]!
    if (x[x.length - 1] !== w[0]) {
      failRange(
        'linear',
        `inner sizes differ, got ${showShape(x)} and ${showShape(w)}`,
        "transpose one operand or check the layer's input size",
      )
    }
    if (inputs.length > 2) {
      const b = inputs[2]!.shape
      if (b.length !== 1 || b[0] !== out)
        failRange('linear', `the bias must have shape ${showShape([out])}, got ${showShape(b)}`)
    }
    const shape = [...x]
    shape[shape.length - 1] = out
    return shape
  },
  reference: ([x, w, b], _, shape) => {
    const [size, out] = w!.shape as [number, number]
    const rows = { shape: [shape.reduce((count, n) => count * n, 1) / out, size], values: x!.values }
    const untransposed = { transposeA: false, transposeB: false }
    const product = matmulOperation.reference([rows, w!], untransposed, [rows.shape[0]!, out])
    return b === undefined ? product : Float64Array.from(product, (value, i) => value + b.values[i % out]!)
  },
  scratch: (inputs) => {
    const w = inputs[1]!.shape
    return wasm().matmulScratch(rowsOf(inputs[0]!), w[1]!, w[0]!, 0, 0)
  },
  kernel: (output, inputs, none, scratch) => multiply(wasm(), output, inputs, none, scratch),
  kernelIn:
    ({ kernels }) =>
    (output, inputs, none, scratch) =>
      multiply(kernels, output, inputs, none, scratch),
  vjp: [
    (g, _, [x, w]) => {
      const rows = multiplied(asRows(g, w!.shape[1]!), w!, false, true)
      return x!.rank === 2 ? rows : reshape(rows, x!.shape)
    },
    (g, _, [x, w]) => multiplied(asRows(x!, w!.shape[0]!), asRows(g, w!.shape[1]!), true, false),
    (g, _, [, , b]) => summedTo(g, b!.shape),
  ],
})

function multiply(
  by: Pick<WasmKernels, 'matmul'>,
  output: Tensor,
  inputs: readonly Tensor[],
  none: None,
  scratch: number,
): void {
  const w = inputs[1]!
  const out = w.shape[1]!
  const rows = output.size / out
  by.matmul(inputs[0]!.offset, w.offset, output.offset, rows, out, w.shape[0]!, 0, 0, scratch)
  if (inputs.length > 2) addOperation.kernel!(output, [output, inputs[2]!], none, 0)
}

/**
 * Weighted sums of features: y = x w + b, with b added to the product where it lies. All leading axes of x are kept.
 *
 * The bits are those of `add(matmul(x, w), b)`, also in gradients: w' is x' g, x' is g w', b' the sum of g over rows. While a
 * function is recorded for `compile` it is that composition, so that the bias joins what follows in one loop.
 *
 * @param x `[…, in]`
 * @param w `[in, out]`
 * @param b `[out]`; none where it is left out
 * @returns `[…, out]`
 * @throws RangeError when shapes do not fit
 * @example
 * t.linear(t.tensor([[1, 2]]), t.tensor([[3], [4]]), t.tensor([10])).toArray() // => [[21]]
 */
export function linear(x: Tensor, w: Tensor, b?: Tensor): Tensor {
  const from = tensorOperand('linear', x)
  const weight = tensorOperand('linear', w)
  const bias = b === undefined ? undefined : tensorOperand('linear', b)
  const inputs = bias === undefined ? [from, weight] : [from, weight, bias]
  if (!isPlanned(from) && !isPlanned(weight) && (bias === undefined || !isPlanned(bias)))
    return apply(linearOperation, inputs, none)
  const shape = linearOperation.shape(inputs, none)
  const product = matmul(asRows(from, weight.shape[0]!), weight)
  const sums = b === undefined ? product : add(product, b)
  return from.rank === 2 ? sums : reshape(sums, shape)
}

function layerSample(draw: Draw, leading: Shape, size: number, out: number): Sample {
  return {
    shapes: [[...leading, size], [size, out], ...(draw.integer(0, 1) === 1 ? [] : [[out]])],
    call: (x, w, b) => linear(x!, w!, b),
    composition: (x, w, b) => {
      const product = matmul(asRows(x!, size), w!)
      return reshape(b === undefined ? product : add(product, b), [...leading, out])
    },
  }
}

export const info: readonly OperationInfo[] = [
  {
    operation: linearOperation,
    sample: (draw) => {
      const sizes = [1, 0, 2, 3, 4, 5, 8, 17]
      const [size, out] = [draw.pick(sizes), draw.pick(sizes)]
      return layerSample(draw, draw.shape(0, 2), size, out)
    },
    large: (draw) => layerSample(draw, [draw.pick([34, 70, 9])], draw.pick([131, 300]), draw.pick([130, 61])),
    domains: [ordinary],
    // The standard bound: k eps |x| |w|, and at most 17 terms and the bias here.
    ulps: 18,
    scale: (_inputs, _output, magnitudes) => magnitudes,
    errors: [
      {
        call: () => linear(tensor([[1, 2, 3]]), tensor([[1, 2]])),
        kind: 'RangeError',
        message:
          "linear: inner sizes differ, got [1,3] and [1,2]; transpose one operand or check the layer's input size",
      },
      {
        call: () => linear(tensor([1]), tensor([1])),
        kind: 'RangeError',
        message: 'linear: the weight must be a matrix [in, out], got [1]',
      },
      {
        call: () => linear(tensor(1), tensor([[1]])),
        kind: 'RangeError',
        message: 'linear: a scalar has no last axis; reshape it to [1]',
      },
      {
        call: () => linear(tensor([1]), tensor([[1, 2]]), tensor([1])),
        kind: 'RangeError',
        message: 'linear: the bias must have shape [2], got [1]',
      },
      {
        call: () => linear(tensor([1]), tensor([[1]]), 1 as unknown as Tensor),
        kind: 'TypeError',
        message: 'linear: a tensor is needed, got a number; wrap numbers and arrays in t.tensor',
      },
    ],
  },
]
