import { layerOf } from './layers.ts'
import type { GraphNode } from './node.ts'

/** What a drawing puts a frame around: a layer in one of the passes. */
export interface Box {
  readonly title: string
  readonly nodes: readonly GraphNode[]
  readonly boxes: readonly Box[]
}

interface Growing {
  readonly title: string
  readonly nodes: GraphNode[]
  readonly boxes: Growing[]
}

/** The nodes of a graph in frames, layers within layers; the outermost has no title. */
export function boxesOf(nodes: readonly GraphNode[]): Box {
  const outermost: Growing = { title: '', nodes: [], boxes: [] }
  const byLayer = new Map<string, Growing>()
  for (const node of nodes) {
    const layer = node.kind === 'layer' ? null : layerOf(node)
    if (layer === null || byLayer.has(layer)) continue
    const title = node.pass === 'forward' ? node.path : `${node.path}, backward`
    byLayer.set(layer, { title, nodes: [], boxes: [] })
  }
  for (const [layer, box] of byLayer) {
    let around = layer
    do around = around.slice(0, Math.max(0, around.lastIndexOf('.')))
    while (around !== '' && !byLayer.has(around))
    const outer = byLayer.get(around) ?? outermost
    outer.boxes.push(box)
  }
  for (const node of nodes) {
    const layer = node.kind === 'layer' ? null : layerOf(node)
    const box = layer === null ? outermost : byLayer.get(layer)!
    box.nodes.push(node)
  }
  return outermost
}
