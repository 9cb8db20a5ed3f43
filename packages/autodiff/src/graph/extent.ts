import type { Extent, GraphEdge, GraphNode, Measured } from './node.ts'

/** Operand edges by the node that they lead to. */
export function operandsOf(count: number, edges: readonly GraphEdge[]): readonly (readonly number[])[] {
  const operands: number[][] = Array.from({ length: count }, () => [])
  for (const { from, to } of edges) operands[to]!.push(from)
  return operands
}

/** By node how many of those that count there are in the longest chain that ends with it. */
export function levelsOf<N extends { readonly id: number }>(
  nodes: readonly N[],
  edges: readonly GraphEdge[],
  counts: (node: N) => boolean,
): readonly number[] {
  const operands = operandsOf(nodes.length, edges)
  const levels: number[] = []
  for (const node of nodes) {
    const before = operands[node.id]!.reduce((most, from) => Math.max(most, levels[from]!), 0)
    levels.push(before + (counts(node) ? 1 : 0))
  }
  return levels
}

/** The size of what stands at such levels. */
export function extentOf(levels: readonly number[]): Extent {
  const counts: number[] = []
  for (const level of levels) counts[level] = (counts[level] ?? 0) + 1
  let width = 0
  for (const count of counts) width = Math.max(width, count ?? 0)
  return { operations: levels.length, depth: Math.max(0, counts.length - 1), width }
}

/** A graph of operations, measured. */
export function measured(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): Measured {
  const extent = (counts: (node: GraphNode) => boolean): Extent => {
    const levels = levelsOf(nodes, edges, counts)
    return extentOf(nodes.filter(counts).map(({ id }) => levels[id]!))
  }
  const isOperation = ({ kind }: GraphNode): boolean => kind === 'operation'
  return {
    nodes,
    edges,
    whole: extent(isOperation),
    forward: extent((node) => isOperation(node) && node.pass === 'forward'),
    backward: extent((node) => isOperation(node) && node.pass === 'backward'),
  }
}
