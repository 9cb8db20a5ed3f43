import { failType, kindOf } from '../fail.ts'
import { heapFloats } from '../memory.ts'
import type { Shape } from '../shape.ts'
import { fingerprint } from './fingerprint.ts'
import type { Graph, Value } from './graph.ts'
import type { Program } from './program.ts'

/** A program, as it is known again. */
export interface RecordedProgram {
  /** The shape of each tensor that goes in, by argument and path: `1.x`. */
  readonly inputs: Readonly<Record<string, Shape>>
  /** What its results are made of, operations, attributes, shapes and constants: 64 bits in hexadecimal digits. */
  readonly fingerprint: string
}

/**
 * The programs that a compiled function has, one for each signature it was called with, with what tells them from all others: the
 * same in every process, whatever the values of the inputs are.
 *
 * @param compiled what `compile` returned
 * @param isWanted which results count, by their path in what the function returns; all by default. What only others need makes no
 * difference
 * @throws TypeError where it is no compiled function
 * @example
 * const double = t.compile((x: t.Tensor) => t.mul(x, 2))
 * const twice = t.compile((y: t.Tensor) => t.mul(y, 2))
 * const triple = t.compile((x: t.Tensor) => t.mul(x, 3))
 * for (const f of [double, twice, triple]) f(t.tensor([1, 2]))
 * t.programsOf(double)[0].inputs // => { 'argument 0': [2] }
 * t.programsOf(double)[0].fingerprint === t.programsOf(twice)[0].fingerprint // => true
 * t.programsOf(double)[0].fingerprint === t.programsOf(triple)[0].fingerprint // => false
 */
export function programsOf(
  compiled: { readonly '~programs': readonly unknown[] },
  isWanted: (path: string) => boolean = () => true,
): readonly RecordedProgram[] {
  if (typeof compiled !== 'function' || !Array.isArray(compiled['~programs'])) {
    return failType(
      'programsOf',
      `a compiled function is needed, got ${kindOf(compiled)}`,
      'pass what compile returns',
    )
  }
  // Nobody else puts anything there.
  return (compiled['~programs'] as readonly Program[]).map(({ recording: { graph } }) => {
    const inputs: Record<string, Shape> = {}
    for (const value of graph.inputs) if (value !== null) inputs[value.name] = value.shape
    return { inputs, fingerprint: fingerprintOf(graph, isWanted) }
  })
}

/** Each value has a text of its own, made of those that it was made from: what else is in the program makes no difference. */
function fingerprintOf(graph: Graph, isWanted: (path: string) => boolean): string {
  const known = new Map<Value, string>()
  const of = (value: Value): string => {
    const { root, source, shape, at } = value
    const own = known.get(value)
    if (own !== undefined) return own
    const words =
      root !== value
        ? `view(${of(root)})${at}`
        : source.kind === 'constant'
          ? contents(value, source)
          : value.name
    const made = fingerprint(`${words}[${shape.join()}]`)
    known.set(value, made)
    return made
  }
  for (const { operation, inputs, described, output } of graph.lines) {
    const operands = inputs.map(of).join()
    const words = `${operation.name}(${operands})${described}[${output.shape.join()}]`
    known.set(output, fingerprint(words))
  }
  const results = graph.outputs.filter(({ path }) => isWanted(path))
  return fingerprint(
    results
      .map(({ path, value }) => `${path}=${of(value)}`)
      .sort()
      .join(),
  )
}

function contents({ size }: Value, source: Extract<Value['source'], { readonly kind: 'constant' }>): string {
  return `constant ${new Uint32Array(heapFloats().buffer, source.offset, size).join()}`
}
