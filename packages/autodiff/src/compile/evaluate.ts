import { heapFloats } from '../memory.ts'
import type { Values } from '../operation.ts'
import { sizeOf } from '../shape.ts'
import type { Graph, Value } from './graph.ts'

/**
 * What a program returns in double precision: every line evaluated by its operation's reference.
 *
 * @param inputs by leaf; null for keys
 */
export function evaluate(graph: Graph, inputs: readonly (Values | null)[]): readonly Values[] {
  const found = new Map<Value, Values>()
  const known = (value: Value): Values => {
    const { root, shape } = value
    const { source } = root
    let whole = found.get(root)
    if (source.kind === 'input') whole = inputs[source.leaf]!
    if (source.kind === 'constant') {
      const from = source.offset / 4
      whole = { shape: root.shape, values: heapFloats().slice(from, from + root.size) }
    }
    if (value === root) return whole!
    const values = Float64Array.from({ length: sizeOf(shape) }, (_, i) => whole!.values[value.at / 4 + i]!)
    return { shape, values }
  }
  for (const { operation, inputs: operands, attributes, output } of graph.lines) {
    const values = operation.reference(operands.map(known), attributes, output.shape)
    found.set(output, { shape: output.shape, values })
  }
  return graph.outputs.map(({ value }) => known(value))
}
