import { type Box, boxesOf } from './boxes.ts'
import { labelOf } from './mermaid.ts'
import type { GraphEdge, GraphNode } from './node.ts'

const shapes: { readonly [kind in GraphNode['kind']]: string } = {
  input: 'ellipse',
  constant: 'plaintext',
  operation: 'box',
  view: 'parallelogram',
  layer: 'component',
}

/** The graph as text for Graphviz: a frame around each layer, backward passes dashed. */
export function toDot(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): string {
  const lines = ['digraph {', '  fontname="sans-serif"', '  node [fontname="sans-serif"]']
  let boxes = 0
  const draw = (box: Box, indent: string): void => {
    for (const node of box.nodes) {
      const dashed = node.pass === 'backward' ? ', style=dashed' : ''
      const thick = node.isResult ? ', penwidth=3' : ''
      lines.push(
        `${indent}n${node.id} [label=${quoted(labelOf(node))}, shape=${shapes[node.kind]}${dashed}${thick}]`,
      )
    }
    for (const inner of box.boxes) {
      lines.push(`${indent}subgraph cluster${boxes++} {`, `${indent}  label=${quoted(inner.title)}`)
      draw(inner, `${indent}  `)
      lines.push(`${indent}}`)
    }
  }
  draw(boxesOf(nodes), '  ')
  for (const { from, to } of edges) lines.push(`  n${from} -> n${to}`)
  lines.push('}')
  return lines.join('\n')
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&').replace(/\r?\n/g, '\\n')}"`
}
