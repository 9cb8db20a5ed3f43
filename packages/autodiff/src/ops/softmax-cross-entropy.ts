import { apply, tensorOperand } from '../apply.ts'
import type { None } from '../elementwise.ts'
import { failRange } from '../fail.ts'
import { defineFused, type FusedOperation } from '../fused.ts'
import { checkIndices } from '../indices.ts'
import { ordinary } from '../info.ts'
import { wasm } from '../kernels/wasm.ts'
import type { OperationInfo, Shaped } from '../operation.ts'
import { checkLastAxis } from '../rows.ts'
import { type Shape, sameShape, showShape } from '../shape.ts'
import { type Tensor, tensor } from '../tensor.ts'
import { logSoftmax } from './log-softmax.ts'
import { maximum } from './maximum.ts'
import { mul } from './mul.ts'
import { oneHotOperation } from './one-hot.ts'
import { sub } from './sub.ts'
import { sum } from './sum.ts'
import { where } from './where.ts'

const largest = 3.4028234663852886e38

const widthOf = ({ shape }: Shaped): number => shape[shape.length - 1]!
const rowsOf = (x: Tensor): number => x.shape.slice(0, -1).reduce((count, size) => count * size, 1)

function lossShapes(name: string, [x, target]: readonly Shaped[], wanted: (logits: Shape) => Shape): Shape[] {
  checkLastAxis(name, x!.shape)
  if (!sameShape(target!.shape, wanted(x!.shape))) {
    failRange(
      name,
      `the targets must have shape ${showShape(wanted(x!.shape))}, got ${showShape(target!.shape)}`,
      `the logits have shape ${showShape(x!.shape)}`,
    )
  }
  return [x!.shape.slice(0, -1)]
}

export const softmaxCrossEntropyOperation: FusedOperation<None> = /*@__PURE__*/ defineFused<None>({
  name: 'softmaxCrossEntropy',
  doc: '-sum of target ln softmax(logits) along the last axis',
  shapes: (inputs) => lossShapes('softmaxCrossEntropy', inputs, (shape) => shape),
  // A target of 0 meets a finite logarithm in the place of -Infinity: times 0 it is 0. And 0 - x, for a loss of 0 is not -0.
  composition: ([x, target]) => {
    const logarithms = logSoftmax(x!)
    const finite = where(target!, logarithms, maximum(logarithms, -largest))
    return [sub(0, sum(mul(target!, finite), { axis: -1 }))]
  },
  kernel: (output, [x, target]) => {
    if (x!.size === 0) wasm().fill(output.offset, output.size, 0)
    else wasm().crossEntropy(x!.offset, target!.offset, output.offset, output.size, widthOf(x!))
  },
  batch: 'axes',
  isDifferentiable: () => true,
  backward: {
    batch: 'axes',
    kernel: ([dx, dTarget], [g], [x, target]) => {
      const [rows, width] = [rowsOf(x!), widthOf(x!)]
      if (dx) wasm().crossEntropyGradient(g!.offset, x!.offset, target!.offset, dx, rows, width)
      if (dTarget) wasm().targetGradient(g!.offset, x!.offset, target!.offset, dTarget, rows, width)
    },
  },
})

/**
 * The cross-entropy of rows of probabilities with softmax of logits: l = -sum over k of target_k ln softmax(logits)_k, along
 * the last axis. Exact at any size of the logits, masks of -Infinity included: 0 ln 0 is 0.
 *
 * One kernel, and one for the gradient: (softmax(logits) sum of target - target) g, and -ln softmax(logits) g for targets. For
 * labels see `sparseSoftmaxCrossEntropy`.
 *
 * @param logits `[…, classes]`, any numbers
 * @param targets the same shape; rows that add up to 1 as a rule, but any numbers do
 * @returns `[…]`, a loss for each row
 * @throws RangeError when the shapes differ
 * @example
 * t.softmaxCrossEntropy(t.tensor([[1000, 0]]), t.tensor([[0.5, 0.5]])).toArray() // => [500]
 */
export function softmaxCrossEntropy(logits: Tensor, targets: Tensor): Tensor {
  const name = 'softmaxCrossEntropy'
  return apply(softmaxCrossEntropyOperation, [tensorOperand(name, logits), tensorOperand(name, targets)], {})
}

export const sparseSoftmaxCrossEntropyOperation: FusedOperation<None> = /*@__PURE__*/ defineFused<None>({
  name: 'sparseSoftmaxCrossEntropy',
  doc: '-ln softmax(logits) at the label along the last axis',
  shapes: (inputs) => lossShapes('sparseSoftmaxCrossEntropy', inputs, (shape) => shape.slice(0, -1)),
  composition: ([x, labels]) => {
    const chosen = apply(oneHotOperation, [labels!], { depth: widthOf(x!) })
    // Selected rather than multiplied by 0, which would make NaN of the -Infinity of another class.
    return [sub(0, sum(where(chosen, logSoftmax(x!), 0), { axis: -1 }))]
  },
  kernel: (output, [x, labels]) =>
    wasm().labelCrossEntropy(x!.offset, labels!.offset, output.offset, output.size, widthOf(x!)),
  batch: 'axes',
  isDifferentiable: (index) => index === 0,
  backward: {
    batch: 'axes',
    kernel: ([dx], [g], [x, labels]) =>
      wasm().labelCrossEntropyGradient(g!.offset, x!.offset, labels!.offset, dx!, rowsOf(x!), widthOf(x!)),
  },
})

/**
 * The cross-entropy of labels with softmax of logits: l = -ln softmax(logits)_label, along the last axis. Exact at any size of
 * the logits, masks of -Infinity included.
 *
 * One kernel, and one for the gradient, which is (softmax(logits) - 1 at the label) g. Labels have none.
 *
 * @param logits `[…, classes]`, any numbers
 * @param labels `[…]`, integers from 0 to classes - 1
 * @returns `[…]`, a loss for each row
 * @throws RangeError when the shapes do not fit, or a label is no integer in range: names it and its place
 * @example
 * t.sparseSoftmaxCrossEntropy(t.tensor([[1000, 0], [0, 1000]]), t.tensor([0, 0])).toArray() // => [0, 1000]
 */
export function sparseSoftmaxCrossEntropy(logits: Tensor, labels: Tensor): Tensor {
  const name = 'sparseSoftmaxCrossEntropy'
  const inputs = [tensorOperand(name, logits), tensorOperand(name, labels)]
  sparseSoftmaxCrossEntropyOperation.shape(inputs, {})
  checkIndices(name, inputs[1]!, widthOf(inputs[0]!))
  return apply(sparseSoftmaxCrossEntropyOperation, inputs, {})
}

export const info: readonly OperationInfo[] = [
  {
    operation: softmaxCrossEntropyOperation,
    sample: (draw) => {
      const shape = draw.shape(1, 3)
      return {
        shapes: [shape, shape],
        call: softmaxCrossEntropy,
        composition: (...inputs) => softmaxCrossEntropyOperation.composition(inputs, {})[0]!,
      }
    },
    domains: [ordinary, { low: 0.05, high: 1 }],
    ulps: 8,
    // Targets may have either sign: what cancels are terms of at most this size.
    scale: ([x, target]) => {
      const most = (values: ArrayLike<number>): number =>
        Array.from(values)
          .filter(Number.isFinite)
          .reduce((a, b) => Math.max(a, Math.abs(b)), 0)
      return most(target!.values) * (2 * most(x!.values) + Math.log(widthOf(x!) + 1))
    },
    errors: [
      {
        call: () => softmaxCrossEntropy(tensor([[1, 2]]), tensor([0])),
        kind: 'RangeError',
        message:
          'softmaxCrossEntropy: the targets must have shape [1,2], got [1]; the logits have shape [1,2]',
      },
      {
        call: () => softmaxCrossEntropy(tensor(1), tensor(1)),
        kind: 'RangeError',
        message: 'softmaxCrossEntropy: a scalar has no last axis; reshape it to [1]',
      },
      {
        call: () => softmaxCrossEntropy([[1, 2]] as unknown as Tensor, tensor([0])),
        kind: 'TypeError',
        message: 'softmaxCrossEntropy: a tensor is needed, got an array; wrap numbers and arrays in t.tensor',
      },
    ],
  },
  {
    operation: sparseSoftmaxCrossEntropyOperation,
    sample: (draw) => {
      const classes = draw.pick([6, 7, 8, 9, 17])
      const leading = draw.shape(0, 2)
      return {
        shapes: [[...leading, classes], leading],
        call: sparseSoftmaxCrossEntropy,
        composition: (...inputs) => sparseSoftmaxCrossEntropyOperation.composition(inputs, {})[0]!,
      }
    },
    domains: [ordinary, { low: 0, high: 5, integer: true }],
    ulps: 4,
    errors: [
      {
        call: () => sparseSoftmaxCrossEntropy(tensor([[1, 2]]), tensor([2])),
        kind: 'RangeError',
        message:
          'sparseSoftmaxCrossEntropy: index 2 at place 0 is not an integer from 0 to 1; count classes from 0',
      },
      {
        call: () =>
          sparseSoftmaxCrossEntropy(
            tensor([
              [1, 2],
              [3, 4],
            ]),
            tensor([0]),
          ),
        kind: 'RangeError',
        message:
          'sparseSoftmaxCrossEntropy: the targets must have shape [2], got [1]; the logits have shape [2,2]',
      },
    ],
  },
]
