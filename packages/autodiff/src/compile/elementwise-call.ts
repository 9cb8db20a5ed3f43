import { dot, mergeAxes } from '../elementwise.ts'
import { loopOf, numberOf } from '../kernels/loops.ts'
import type { Numerics } from '../numerics.ts'
import { broadcastStrides } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import type { Fused, Line } from './graph.ts'

/** What a line computes of each element, where it is elementwise. */
export function loopOfLine({ operation, output, fused }: Line): Fused | undefined {
  if (fused !== undefined) return fused
  const { expression } = operation
  if (expression === undefined) return undefined
  return { expression, text: `${numberOf(operation)}`, shape: output.shape, reductions: [null] }
}

/**
 * A loop over operands that are there to stay: which axes it walks how is worked out once, and where they lie whenever they have
 * moved.
 */
export class ElementwiseCall {
  private readonly loop: (...args: number[]) => void
  private readonly outputs: readonly Tensor[]
  private readonly inputs: readonly Tensor[]
  private readonly strides: readonly (readonly number[])[]
  private readonly sizes: readonly number[]
  private readonly args: number[] = []
  /** Elements of the output that one call of the loop fills. */
  private readonly filled: number
  private readonly repeats: number

  constructor(
    { expression, text }: Fused,
    outputs: readonly Tensor[],
    inputs: readonly Tensor[],
    numerics: Numerics | null,
  ) {
    const { shape, size } = outputs[0]!
    const { sizes, strides } = mergeAxes(
      shape,
      inputs.map((x) => broadcastStrides(x.shape, shape)),
    )
    const inner = sizes.length - 1
    const pattern = strides.map((own) => (own[inner] === 0 ? 's' : 'v')).join('')
    this.loop = loopOf(text, expression, pattern, numerics)
    this.outputs = outputs
    this.inputs = inputs
    this.strides = strides
    this.sizes = sizes
    const outer = sizes[inner - 1] ?? 1
    this.filled = sizes[inner]! * outer
    this.repeats = size / this.filled
    this.args.push(0, outer, sizes[inner]!)
    for (const own of strides) this.args.push(0, 4 * (own[inner - 1] ?? 0))
    for (let k = 1; k < outputs.length; k++) this.args.push(0)
  }

  /** Says that operands lie elsewhere now. */
  moved(): void {
    const { args, inputs, outputs } = this
    args[0] = outputs[0]!.offset
    for (let k = 0; k < inputs.length; k++) args[3 + 2 * k] = inputs[k]!.offset
    const further = 2 + 2 * inputs.length
    for (let k = 1; k < outputs.length; k++) args[further + k] = outputs[k]!.offset
  }

  run(): void {
    if (this.repeats === 1) call(this.loop, this.args)
    else this.runAll()
  }

  // More axes than the loop walks by itself.
  private runAll(): void {
    const { args, inputs, outputs, strides, sizes, filled } = this
    const index = new Array<number>(Math.max(0, sizes.length - 2)).fill(0)
    const further = 2 + 2 * inputs.length
    for (let repeat = 0; repeat < this.repeats; repeat++) {
      const first = 4 * filled * repeat
      args[0] = outputs[0]!.offset + first
      for (let k = 0; k < inputs.length; k++)
        args[3 + 2 * k] = inputs[k]!.offset + 4 * dot(index, strides[k]!)
      for (let k = 1; k < outputs.length; k++) args[further + k] = outputs[k]!.offset + first
      call(this.loop, args)
      for (let axis = index.length - 1; axis >= 0 && ++index[axis]! === sizes[axis]; axis--) index[axis] = 0
    }
  }
}

// Arguments written out take a third of the time that a list of them takes.
function call(loop: (...args: number[]) => void, a: readonly number[]): void {
  if (a.length === 5) loop(a[0]!, a[1]!, a[2]!, a[3]!, a[4]!)
  else if (a.length === 7) loop(a[0]!, a[1]!, a[2]!, a[3]!, a[4]!, a[5]!, a[6]!)
  else if (a.length === 9) loop(a[0]!, a[1]!, a[2]!, a[3]!, a[4]!, a[5]!, a[6]!, a[7]!, a[8]!)
  else loop(...a)
}
