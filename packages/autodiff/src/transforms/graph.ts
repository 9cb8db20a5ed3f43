import { runOn } from '../compile/record.ts'
import { signatureOf } from '../compile/signature.ts'
import { failRange } from '../fail.ts'
import { toDot } from '../graph/dot.ts'
import { measured } from '../graph/extent.ts'
import { groupByLayer, layerOf } from '../graph/layers.ts'
import { toMermaid } from '../graph/mermaid.ts'
import type { Extent, GraphEdge, GraphNode, Measured } from '../graph/node.ts'
import { readTape } from '../graph/read-tape.ts'
import { Tape } from '../tape.ts'
import { inScope } from '../tree.ts'
import { checkFunction } from './functions.ts'

/** What a function computes, as nodes and edges. */
export interface ComputationGraph {
  /** In an order in which they can be computed. */
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
  /** Operations in the longest chain, each of which waits for the one before; of a graph of layers, layers. */
  readonly depth: number
  /** The most operations at one level, each as early as its operands allow: what could run at the same time. */
  readonly width: number
  /** The forward pass alone. */
  readonly forward: Extent
  /** The backward pass alone: chains count its operations only. */
  readonly backward: Extent
  /** The paths of the layers that operations belong to, in the order of their first operations. */
  readonly layers: readonly string[]
  /**
   * The graph of layers: one node for each path in each pass; what is in no layer stays a node of its own. `depth` and `width`
   * count layers, and a chain that comes back to a layer counts it again.
   */
  groupBy(what: 'layer'): ComputationGraph
  /** Text for Mermaid: a flowchart with a frame around each layer, backward passes dashed, results in bold. */
  toMermaid(): string
  /** Text for Graphviz, likewise. */
  toDot(): string
}

/**
 * What `f` computes for inputs of such shapes, as a graph: operations, who reads whose result, and how long and wide that is.
 * Nothing is computed: `f` runs once on shapes, through gradients, compiled functions and all. There is what the result
 * depends on, and checks; a `scan` is one operation.
 *
 * Inputs and constants count 0 in `depth`, and so do views, which take no time: `reshape`, leading rows by `slice`,
 * and single results of an operation that has several. Keys are not shown. Every node knows its layer by `namedScope`, or its
 * place in a model of `@tapeflow/nn`; operations of a backward pass go by the layer of the operation that they come from.
 *
 * @param f a function of trees of tensors, keys and numbers
 * @param inputs what `f` takes: only shapes matter, but for texts and booleans
 * @throws RecordingError where `f` reads a value; TypeError where inputs are no trees or `f` is asynchronous
 * @example
 * const unit = (x: t.Tensor, w: t.Tensor, b: t.Tensor) => t.sigmoid(t.add(t.matmul(x, w), b))
 * const [x, w, b] = [t.zeros([8, 3]), t.zeros([3, 1]), t.zeros([1])]
 * const computed = t.graph(unit, x, w, b)
 * computed.depth // => 3
 * computed.width // => 1
 * t.graph((x: t.Tensor) => t.exp(t.neg(x)), x).toDot().includes('n0 -> n1') // => true
 */
export function graph<A extends readonly unknown[]>(
  f: (...inputs: A) => unknown,
  ...inputs: A
): ComputationGraph {
  checkFunction('graph', f)
  const { signatures, leaves } = signatureOf(inputs, 'graph')
  return graphOf(
    inScope((scope) => {
      const tape = new Tape(scope, true, true, true)
      const { inputs: traced, returned } = runOn(tape, 'graph', f, signatures, leaves)
      const { nodes, edges } = readTape(tape, leaves, traced, returned)
      return measured(nodes, edges)
    }),
  )
}

function graphOf({ nodes, edges, whole, forward, backward }: Measured): ComputationGraph {
  const layers = new Set(nodes.filter((node) => layerOf(node) !== null).map(({ path }) => path))
  return {
    nodes,
    edges,
    depth: whole.depth,
    width: whole.width,
    forward,
    backward,
    layers: [...layers],
    groupBy: (what) => {
      if (what !== 'layer') failRange('graph', `cannot group by '${String(what)}'`, "use 'layer'")
      return graphOf(groupByLayer(nodes, edges))
    },
    toMermaid: () => toMermaid(nodes, edges),
    toDot: () => toDot(nodes, edges),
  }
}
