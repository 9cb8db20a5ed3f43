import { apply, tensorOperand } from '../apply.ts'
import { failRange } from '../fail.ts'
import { ordinary } from '../info.ts'
import { wasm } from '../kernels/wasm.ts'
import {
  defineOperation,
  type Operation,
  type OperationInfo,
  type Shaped,
  type Values,
} from '../operation.ts'
import { checkFlag, checkOptions } from '../options.ts'
import { showShape } from '../shape.ts'
import { type Tensor, tensor } from '../tensor.ts'

/** Which operands are read transposed, without being transposed in memory. */
export interface MatmulOptions {
  readonly transposeA?: boolean
  readonly transposeB?: boolean
}

const names = ['transposeA', 'transposeB'] as const

interface Transposed {
  readonly transposeA: boolean
  readonly transposeB: boolean
}

function sizes(
  [a, b]: readonly Shaped[],
  { transposeA, transposeB }: Transposed,
): { m: number; n: number; k: number; l: number } {
  const [m, k] = transposeA ? [a!.shape[1]!, a!.shape[0]!] : [a!.shape[0]!, a!.shape[1]!]
  const [l, n] = transposeB ? [b!.shape[1]!, b!.shape[0]!] : [b!.shape[0]!, b!.shape[1]!]
  return { m, n, k, l }
}

export const matmulOperation: Operation<Transposed, [Tensor, Tensor]> = /*@__PURE__*/ defineOperation<
  Transposed,
  [Tensor, Tensor]
>({
  name: 'matmul',
  doc: 'the matrix product',
  shape: (inputs, attributes) => {
    const [a, b] = inputs
    if (a!.shape.length !== 2 || b!.shape.length !== 2) {
      failRange(
        'matmul',
        `two matrices are needed, got ${showShape(a!.shape)} and ${showShape(b!.shape)}`,
        'reshape vectors to [1,n] or [n,1]',
      )
    }
    const { m, n, k, l } = sizes(inputs, attributes)
    if (k !== l) {
      failRange(
        'matmul',
        `inner sizes differ, got ${showShape([m, k])} and ${showShape([l, n])}`,
        "transpose one operand or check the layer's input size",
      )
    }
    return [m, n]
  },
  reference: (inputs, attributes) => product(inputs, attributes, (x) => x),
  scratch: (inputs, attributes) => {
    const { m, n, k } = sizes(inputs, attributes)
    return wasm().matmulScratch(m, n, k, attributes.transposeB ? 1 : 0)
  },
  // Called at every step of a program: no arrays are made.
  kernel: (output, inputs, { transposeA, transposeB }, scratch) => {
    const a = inputs[0]
    wasm().matmul(
      a.offset,
      inputs[1].offset,
      output.offset,
      output.shape[0]!,
      output.shape[1]!,
      a.shape[transposeA ? 0 : 1]!,
      transposeA ? 1 : 0,
      transposeB ? 1 : 0,
      scratch,
    )
  },
  vjp: [
    (g, _, [, b], { transposeA, transposeB }) =>
      transposeA
        ? matmul(b, g, { transposeA: transposeB, transposeB: true })
        : matmul(g, b, { transposeB: !transposeB }),
    (g, _, [a], { transposeA, transposeB }) =>
      transposeB
        ? matmul(g, a, { transposeA: true, transposeB: transposeA })
        : matmul(a, g, { transposeA: !transposeA }),
  ],
})

function product(inputs: readonly Values[], attributes: Transposed, on: (x: number) => number): Float64Array {
  const { m, n, k } = sizes(inputs, attributes)
  const [a, b] = inputs
  const result = new Float64Array(m * n)
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      for (let p = 0; p < k; p++) {
        const left = a!.values[attributes.transposeA ? p * m + i : i * k + p]!
        const right = b!.values[attributes.transposeB ? j * k + p : p * n + j]!
        result[i * n + j]! += on(left) * on(right)
      }
    }
  }
  return result
}

/**
 * The matrix product: y[i, j] = sum over p of a[i, p] b[p, j].
 *
 * @param a `[m, k]`, or `[k, m]` with `transposeA`
 * @param b `[k, n]`, or `[n, k]` with `transposeB`
 * @param options which operands are read transposed: nothing is moved in memory for it, in gradients neither
 * @returns `[m, n]`
 * @throws RangeError when an operand is no matrix or the inner sizes differ
 * @example
 * t.matmul(t.tensor([[1, 2]]), t.tensor([[3], [4]])).toArray() // => [[11]]
 */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  checkOptions('matmul', options, names)
  return apply(matmulOperation, [tensorOperand('matmul', a), tensorOperand('matmul', b)], {
    transposeA: checkFlag('matmul', 'transposeA', options.transposeA),
    transposeB: checkFlag('matmul', 'transposeB', options.transposeB),
  })
}

export const info: readonly OperationInfo[] = [
  {
    operation: matmulOperation,
    sample: (draw) => {
      const sizes = [0, 1, 2, 3, 4, 5, 8, 9, 17, 33]
      const [m, n, k] = [draw.pick(sizes), draw.pick(sizes), draw.pick(sizes)]
      const transposeA = draw.integer(0, 1) === 1
      const transposeB = draw.integer(0, 1) === 1
      return {
        shapes: [transposeA ? [k, m] : [m, k], transposeB ? [n, k] : [k, n]],
        call: (a, b) => matmul(a!, b!, { transposeA, transposeB }),
      }
    },
    domains: [ordinary],
    // The standard bound: k eps |A| |B|, and at most 33 terms here.
    ulps: 33,
    scale: (_inputs, _output, magnitudes) => magnitudes,
    errors: [
      {
        call: () => matmul(tensor([[1, 2, 3]]), tensor([[1, 2]])),
        kind: 'RangeError',
        message:
          "matmul: inner sizes differ, got [1,3] and [1,2]; transpose one operand or check the layer's input size",
      },
      {
        call: () => matmul(tensor([1]), tensor([[1]])),
        kind: 'RangeError',
        message: 'matmul: two matrices are needed, got [1] and [1,1]; reshape vectors to [1,n] or [n,1]',
      },
    ],
  },
]
