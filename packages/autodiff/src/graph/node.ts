import type { Shape } from '../shape.ts'

/** Something that a function reads or computes. */
export interface GraphNode {
  /** Its place in `nodes`, which are in an order in which they can be computed. */
  readonly id: number
  /**
   * A tensor or number of the arguments, a tensor from elsewhere, something computed, or something that is there already under
   * another shape; `layer` where operations are grouped.
   */
  readonly kind: 'input' | 'constant' | 'operation' | 'view' | 'layer'
  /** What a reader calls it: `argument 0`, `0.w` in the first argument, `2` for that constant, `matmul`, `layers.0`. */
  readonly name: string
  /** The operation's name; of what is none its kind. */
  readonly operation: string
  readonly shape: Shape
  /** The names of the scopes that it is computed in: `layers.0`; empty where there are none. */
  readonly path: string
  readonly pass: 'forward' | 'backward'
  /** In the backward pass: the operation whose cotangent goes back. */
  readonly backwardOf: string | null
  /** How many operations there are in the longest chain that ends with it: 0 for inputs and constants. */
  readonly level: number
  /** Whether the function returns it. */
  readonly isResult: boolean
}

/** A value on its way: what node `from` makes is an operand of node `to`. There is one for each operand. */
export interface GraphEdge {
  readonly from: number
  readonly to: number
}

/** How large a part of a graph is. */
export interface Extent {
  readonly operations: number
  /** Operations in the longest chain. */
  readonly depth: number
  /** The most operations at one level, each as early as its operands allow: what could run at the same time. */
  readonly width: number
}

/** A graph, and its size: as a whole, and that of each pass alone. */
export interface Measured {
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
  readonly whole: Extent
  readonly forward: Extent
  readonly backward: Extent
}
