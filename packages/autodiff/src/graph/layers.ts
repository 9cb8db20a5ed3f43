import { extentOf, operandsOf } from './extent.ts'
import type { Extent, GraphEdge, GraphNode, Measured } from './node.ts'

/** The layer that a node belongs to, in its pass; null where it is in none. */
export function layerOf({ path, pass, kind }: GraphNode): string | null {
  return path === '' || kind === 'input' ? null : `${pass} ${path}`
}

/**
 * Makes one node of each layer, in each pass. Its level is how many layers a chain goes through up to and with it; a chain that
 * comes back to a layer counts it again, and what is in no layer counts nothing.
 */
export function groupByLayer(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): Measured {
  const members = new Map<string, GraphNode[]>()
  for (const node of nodes) {
    const group = layerOf(node) ?? `${node.id}`
    const inside = members.get(group)
    if (inside === undefined) members.set(group, [node])
    else inside.push(node)
  }
  const groups = [...members.values()]
  const places: number[] = []
  for (const [id, inside] of groups.entries()) for (const node of inside) places[node.id] = id

  const levelsIn = (pass?: GraphNode['pass']): readonly number[] => {
    const levels = layerLevels(nodes, edges, (node) => pass === undefined || node.pass === pass)
    return groups.map((inside) => Math.max(...inside.map(({ id }) => levels[id]!)))
  }
  const levels = levelsIn()
  const isReadOutside: boolean[] = []
  for (const { from, to } of edges) if (places[from] !== places[to]) isReadOutside[from] = true
  const grouped = groups.map((inside, id): GraphNode => {
    const last = inside[inside.length - 1]!
    const rest = { id, level: levels[id]!, isResult: inside.some(({ isResult }) => isResult) }
    if (layerOf(last) === null) return { ...last, ...rest }
    const { shape } = inside.findLast((node) => isReadOutside[node.id]) ?? last
    const layer = { kind: 'layer', name: last.path, operation: 'layer', backwardOf: null } as const
    return { ...last, ...rest, ...layer, shape }
  })
  const between = new Map<string, GraphEdge>()
  for (const edge of edges) {
    const [from, to] = [places[edge.from]!, places[edge.to]!]
    if (from !== to) between.set(`${from} ${to}`, { from, to })
  }
  const extent = (pass?: GraphNode['pass']): Extent => {
    const among = levelsIn(pass)
    const counted = grouped.filter((node) => node.kind === 'layer' && (!pass || node.pass === pass))
    return extentOf(counted.map(({ id }) => among[id]!))
  }
  return {
    nodes: grouped,
    edges: [...between.values()],
    whole: extent(),
    forward: extent('forward'),
    backward: extent('backward'),
  }
}

// A layer counts where a chain enters it, or where it begins there: with what is drawn, or with constants alone.
function layerLevels(
  nodes: readonly GraphNode[],
  edges: readonly GraphEdge[],
  counts: (node: GraphNode) => boolean,
): readonly number[] {
  const operands = operandsOf(nodes.length, edges)
  const levels: number[] = []
  for (const node of nodes) {
    const layer = layerOf(node)
    const isCounted = layer !== null && counts(node)
    let level = isCounted ? 1 : 0
    for (const from of operands[node.id]!) {
      const enters = isCounted && layerOf(nodes[from]!) !== layer
      level = Math.max(level, levels[from]! + (enters ? 1 : 0))
    }
    levels.push(level)
  }
  return levels
}
