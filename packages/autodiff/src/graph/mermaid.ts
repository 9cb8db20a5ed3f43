import { showShape } from '../shape.ts'
import { type Box, boxesOf } from './boxes.ts'
import type { GraphEdge, GraphNode } from './node.ts'

// Inputs are round, constants rounded, views slanted.
const brackets: { readonly [kind in GraphNode['kind']]: readonly [string, string] } = {
  input: ['([', '])'],
  constant: ['(', ')'],
  operation: ['[', ']'],
  view: ['[/', '/]'],
  layer: ['[[', ']]'],
}

/** The graph as text for Mermaid: a flowchart from top to bottom, with a frame around each layer. */
export function toMermaid(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): string {
  const lines = ['flowchart TD']
  let boxes = 0
  const draw = (box: Box, indent: string): void => {
    for (const node of box.nodes) {
      const [open, close] = brackets[node.kind]
      lines.push(`${indent}n${node.id}${open}"${escaped(labelOf(node))}"${close}`)
    }
    for (const inner of box.boxes) {
      lines.push(`${indent}subgraph layer${boxes++}["${escaped(inner.title)}"]`)
      draw(inner, `${indent}  `)
      lines.push(`${indent}end`)
    }
  }
  draw(boxesOf(nodes), '  ')
  for (const { from, to } of edges) lines.push(`  n${from} --> n${to}`)
  mark('backward', 'stroke-dasharray: 4', (node) => node.pass === 'backward')
  mark('result', 'stroke-width: 3px', (node) => node.isResult)
  return lines.join('\n')

  function mark(name: string, style: string, has: (node: GraphNode) => boolean): void {
    const marked = nodes.filter(has).map(({ id }) => `n${id}`)
    if (marked.length > 0) lines.push(`  classDef ${name} ${style}`, `  class ${marked.join(',')} ${name}`)
  }
}

/** A node in words: what it is, and its shape. */
export function labelOf({ name, shape, kind, pass }: GraphNode): string {
  // The cotangents that a layer hands back are of many shapes.
  if (kind === 'layer' && pass === 'backward') return `${name}, backward`
  return `${name} ${showShape(shape)}`
}

// What ends a text, begins markup or an entity goes by its number.
function escaped(text: string): string {
  return text.replace(/["#&<>`\\\n\r]/g, (character) => `#${character.charCodeAt(0)};`)
}
