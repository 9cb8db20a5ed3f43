import type { Leaf } from '../compile/signature.ts'
import { heapFloats } from '../memory.ts'
import type { Origin } from '../scopes.ts'
import { type Entry, slotOn, type Tape } from '../tape.ts'
import { Tensor } from '../tensor.ts'
import type { TracedKey } from '../traced-key.ts'
import { visitTensors } from '../tree.ts'
import { levelsOf } from './extent.ts'
import type { GraphEdge, GraphNode } from './node.ts'

type Found = Omit<GraphNode, 'level'>

const nowhere: Pick<GraphNode, 'path' | 'pass' | 'backwardOf'> = {
  path: '',
  pass: 'forward',
  backwardOf: null,
}

/** What is on a tape of what was returned: what that depends on, and what is run for what it does. */
export function readTape(
  tape: Tape,
  leaves: readonly Leaf[],
  inputs: readonly (Tensor | TracedKey)[],
  returned: unknown,
): { readonly nodes: readonly GraphNode[]; readonly edges: readonly GraphEdge[] } {
  const outputs: Tensor[] = []
  visitTensors(returned, (x) => outputs.push(x))
  const needed = neededSlots(tape, outputs)
  const results = new Set(outputs.map((x) => slotOn(x, tape)))
  const nodes: Found[] = []
  const edges: GraphEdge[] = []
  const bySlot: number[] = []
  const constants = new Map<Tensor, number>()
  const put = (node: Omit<Found, 'id'>): number => nodes.push({ id: nodes.length, ...node }) - 1
  const names = new Map<number, string>()
  for (const [leaf, input] of inputs.entries()) {
    if (input instanceof Tensor) names.set(input.slot, nameOf(leaves[leaf]!))
  }
  const constant = (x: Tensor, path: string, isResult: boolean): number => {
    const known = constants.get(x)
    if (known !== undefined) return known
    const name = x.size === 1 && x.offset >= 0 ? shown(heapFloats()[x.offset / 4]!) : 'constant'
    const made = put({
      ...nowhere,
      kind: 'constant',
      name,
      operation: 'constant',
      shape: x.shape,
      path,
      isResult,
    })
    constants.set(x, made)
    return made
  }
  for (const [slot, entry] of tape.entries.entries()) {
    if (!needed.has(slot)) continue
    const isResult = results.has(slot)
    if (entry === null) {
      const input = inputs.find((x) => x instanceof Tensor && x.slot === slot) as Tensor
      const name = names.get(slot)!
      bySlot[slot] = put({
        ...nowhere,
        kind: 'input',
        name,
        operation: 'input',
        shape: input.shape,
        isResult,
      })
      continue
    }
    const place = at(entry.origin)
    const operands = entry.inputs.map((x) => {
      const from = slotOn(x, tape)
      return from < 0 ? constant(x, place.path, false) : bySlot[from]!
    })
    const { name } = entry.operation
    const kind = isView(entry) ? 'view' : 'operation'
    const made = put({ ...place, kind, name, operation: name, shape: entry.output.shape, isResult })
    bySlot[slot] = made
    for (const from of operands) edges.push({ from, to: made })
  }
  for (const x of outputs) if (slotOn(x, tape) < 0) constant(x, '', true)
  const levels = levelsOf(nodes, edges, ({ kind }) => kind === 'operation')
  return { nodes: nodes.map((node) => ({ ...node, level: levels[node.id]! })), edges }
}

function neededSlots(tape: Tape, outputs: readonly Tensor[]): ReadonlySet<number> {
  const needed = new Set(outputs.map((x) => slotOn(x, tape)))
  for (let slot = tape.entries.length - 1; slot >= 0; slot--) {
    const entry = tape.entries[slot]
    if (!entry || !(needed.has(slot) || entry.operation.effect)) continue
    needed.add(slot)
    for (const x of entry.inputs) needed.add(slotOn(x, tape))
  }
  return needed
}

function at({ path, backwardOf }: Origin): Pick<GraphNode, 'path' | 'pass' | 'backwardOf'> {
  return { path, pass: backwardOf === null ? 'forward' : 'backward', backwardOf }
}

function isView({ operation, inputs, attributes }: Entry): boolean {
  return operation.alias !== undefined && operation.alias(inputs, attributes) >= 0
}

function nameOf({ argument, path }: Leaf): string {
  return path === '' ? `argument ${argument}` : `${argument}.${path}`
}

function shown(value: number): string {
  return String(Number(value.toPrecision(6)))
}
