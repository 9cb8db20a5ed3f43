import { concat } from '../../ops/concat.ts'
import { reshape } from '../../ops/reshape.ts'
import type { Shape } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import { inScope } from '../../tree.ts'
import { stackExamples } from './by-example.ts'

/** How a value of all examples is known: as one tensor or, packed, as several; in both they stand along the first axis. */
interface Known {
  readonly whole?: Tensor
  /** Example by example. */
  readonly examples?: readonly Tensor[]
  /** Results that an operation packs into one. */
  readonly parts?: readonly Tensor[]
}

/** A value of a mapped function, for all examples. */
export class Mapped {
  readonly examples: readonly Tensor[] | undefined
  readonly parts: readonly Tensor[] | undefined
  private stack: Tensor | undefined
  private readonly shape: Shape

  /** @param shape of one example */
  constructor(shape: Shape, { whole, examples, parts }: Known) {
    this.shape = shape
    this.stack = whole
    this.examples = examples
    this.parts = parts
  }

  /** All examples along the first axis. */
  get whole(): Tensor {
    this.stack ??= inScope(() => {
      if (this.parts === undefined) return stackExamples(this.examples ?? [], this.shape)
      const rows = this.parts.map((x) => reshape(x, [x.shape[0]!, x.size / Math.max(1, x.shape[0]!)]))
      return concat(rows, { axis: 1 })
    })
    return this.stack
  }

  /** Nobody asks for it any more. */
  dispose(): void {
    this.stack?.dispose()
    for (const x of this.examples ?? []) x.dispose()
    for (const x of this.parts ?? []) x.dispose()
  }
}
