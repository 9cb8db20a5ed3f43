import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Arena } from '../src/compile/arena.ts'
import { resultsOf, type Value } from '../src/compile/graph.ts'
import { mayFail } from '../src/compile/order.ts'
import { type Plan, type PlanOptions, plan } from '../src/compile/plan.ts'
import { type Recording, record } from '../src/compile/record.ts'
import { type Leaf, signatureOf } from '../src/compile/signature.ts'
import * as t from '../src/index.ts'
import { poisonFreed, release } from '../src/memory.ts'
import { bitsOf, eagerly, type Program } from './compile-law.ts'

beforeAll(() => poisonFreed(true))
afterAll(() => poisonFreed(false))

const numRuns = import.meta.env['LONG'] === '1' ? 10_000 : 600

describe('the arena', () => {
  it('never gives out what is taken, and is one block again when all is given back', () => {
    const wanted = fc.oneof(fc.integer({ min: 1, max: 700 }), fc.integer({ min: 1, max: 1 << 20 }))
    const turns = fc.array(fc.record({ wanted, give: fc.option(fc.nat()) }), { maxLength: 60 })
    fc.assert(
      fc.property(turns, (list) => {
        const arena = new Arena()
        const taken: { offset: number; bytes: number }[] = []
        for (const turn of list) {
          if (turn.give !== null && taken.length > 0) {
            const [{ offset, bytes }] = taken.splice(turn.give % taken.length, 1) as [(typeof taken)[0]]
            arena.give(offset, bytes)
          }
          const offset = arena.take(turn.wanted)
          expect(offset % 64).toBe(0)
          expect(offset + turn.wanted).toBeLessThanOrEqual(arena.bytes)
          for (const other of taken) {
            expect(offset + turn.wanted <= other.offset || other.offset + other.bytes <= offset).toBe(true)
          }
          taken.push({ offset, bytes: turn.wanted })
        }
        const { bytes } = arena
        for (const block of taken) arena.give(block.offset, block.bytes)
        expect(arena.take(bytes)).toBe(0)
        expect(arena.bytes).toBe(bytes)
      }),
      { numRuns },
    )
  })

  it('extends the end where that is free, and takes the smallest block that is large enough', () => {
    const arena = new Arena()
    const [a, b, c, d] = [1024, 64, 256, 64].map((bytes) => arena.take(bytes))
    expect([a, b, c, d]).toEqual([0, 1024, 1088, 1344])
    arena.give(a!, 1024)
    arena.give(c!, 256)
    expect(arena.take(200)).toBe(1088)
    arena.give(d!, 64)
    // 64 bytes are free at the end: 2,000 are 2,048, of which these are the first.
    expect(arena.take(2000)).toBe(1344)
    expect(arena.bytes).toBe(1344 + 2048)
  })
})

/** What lies where while a plan is run, worked out from the plan alone. */
class Memory {
  private readonly written: { space: string; from: number; to: number; root: Value | null }[] = []

  /** Everything that overlaps is lost. */
  write(space: string, from: number, bytes: number, root: Value | null): void {
    for (const block of this.written) {
      if (block.space === space && block.from < from + bytes && from < block.to) block.root = null
    }
    this.written.push({ space, from, to: from + bytes, root })
  }

  holds(root: Value): boolean {
    return root.size === 0 || this.written.some((block) => block.root === root)
  }
}

/** Runs a plan on names alone: no line reads what was overwritten, and nothing is written where it must not be. */
function checkPlan(planned: Plan, inputs: readonly (Value | null)[], options: PlanOptions): void {
  const { leaves, isDonated } = options
  const memory = new Memory()
  const spaceOf = (root: Value): string => {
    const { space, index } = planned.places.get(root)!
    return space === 'arena' ? space : `${space} ${index}`
  }
  const write = (root: Value): void => {
    const { space, offset } = planned.places.get(root)!
    expect(space).not.toBe('constant')
    if (space === 'leaf') expect(root.size).toBe(inputs[planned.places.get(root)!.index]!.size)
    if (space === 'output') expect(root.size * 4).toBe(planned.outputBytes[planned.places.get(root)!.index])
    expect(offset % 64).toBe(0)
    if (space === 'arena') expect(offset + root.size * 4).toBeLessThanOrEqual(planned.arenaBytes)
    memory.write(spaceOf(root), offset, root.size * 4, root)
  }
  for (const [leaf, value] of inputs.entries()) {
    if (value === null) continue
    if (leaves[leaf]!.kind === 'tensor') memory.write(`leaf ${leaf}`, 0, value.size * 4, value)
    else if (planned.copiedIn.includes(leaf)) write(value)
  }
  const isThere = (root: Value): boolean => root.source.kind === 'constant' || memory.holds(root)
  const lastCheck = planned.lines.findLastIndex(mayFail)
  for (const [at, line] of planned.lines.entries()) {
    const { output, inputs: operands, operation, attributes, scratch, frees } = line
    const results = resultsOf(line)
    for (const { root } of operands) expect(isThere(root), `line ${at} reads what is there`).toBe(true)
    const places = results.map((result) => planned.places.get(result)!)
    const needed = operation.scratch?.(operands, attributes) ?? 0
    if (needed > 0) {
      expect(scratch + needed).toBeLessThanOrEqual(planned.arenaBytes)
      memory.write('arena', scratch, needed, null)
      for (const { root } of operands)
        expect(isThere(root), `line ${at} works beside its operands`).toBe(true)
    }
    if (output.size > 0) {
      for (const { space, index } of places) {
        if (space !== 'leaf') continue
        expect(isDonated(leaves[index]!)).toBe(true)
        expect(planned.written.has(index)).toBe(true)
        expect(at, 'donated memory is written to after the last check').toBeGreaterThan(lastCheck)
      }
      for (const [i, result] of results.entries()) {
        if (line.fused?.reductions[i] === null) expect(result.shape).toEqual(line.fused.shape)
        write(result)
      }
      if (needed > 0) memory.write('arena', scratch, needed, null)
      for (const result of results)
        expect(memory.holds(result), `line ${at} keeps its results, and works beside them`).toBe(true)
      for (const operand of operands) {
        if (isThere(operand.root)) continue
        // It was written over while it was read: allowed only where the kernel says so.
        expect(operation.inPlace).toBe(true)
        const { shape } = line.fused ?? output
        expect(operand.root.size).toBe(t.sizeOf(shape))
        expect(operand.shape).toEqual(shape)
        expect(operand.at).toBe(0)
        const { space, index, offset } = planned.places.get(operand.root)!
        const over = places.findIndex(
          (place) => place.space === space && place.index === index && place.offset === offset,
        )
        expect(over).toBeGreaterThanOrEqual(0)
        // Rows that come later are still read when a reduction is written.
        expect(line.fused?.reductions[over] ?? null).toBe(null)
      }
    }
    for (const { offset, bytes } of frees) memory.write('arena', offset, bytes, null)
  }
  const taken = new Set<string>()
  for (const output of planned.outputs) {
    if (output === null) continue
    const { root } = output.value
    expect(isThere(root), `the result at '${output.path}' is there`).toBe(true)
    expect(planned.places.get(root)!.space).not.toBe('arena')
    expect(root.source.kind).not.toBe('constant')
    if (options.outputs === 'anywhere') continue
    const space = spaceOf(root)
    expect(taken.has(space), 'results lie apart').toBe(false)
    taken.add(space)
    const isOwn = options.outputs === 'own' || root.source.kind === 'computed'
    if (isOwn && options.outputs === 'own') expect(space).toMatch(/^output/)
  }
}

// Programs of a few shapes, so that memory of one value fits another: what is computed, by which values, and what is returned.
const at = fc.nat({ max: 9 })
const step = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constantFrom('neg', 'tanh', 'exp', 'square'), at) },
  { weight: 5, arbitrary: fc.tuple(fc.constantFrom('add', 'mul', 'sub', 'maximum'), at, at) },
  {
    weight: 2,
    arbitrary: fc.tuple(
      fc.constantFrom('flat', 'square2', 'head', 'tail', 'column', 'plusHead', 'plusTail'),
      at,
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(
      fc.constantFrom('matmul', 'transpose', 'total', 'rows', 'corners', 'softmax', 'half'),
      at,
      at,
    ),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom('uniform', 'check', 'empty', 'constant'), at) },
)
type Step = readonly [name: string, a: number, b?: number]

const square2 = (x: t.Tensor): t.Tensor => t.reshape(x.size === 4 ? x : t.add(t.sum(x), t.zeros([4])), [2, 2])
const made: Readonly<Record<string, (x: t.Tensor, y: t.Tensor, key: t.Key, at: number) => t.Tensor>> = {
  neg: (x) => t.neg(x),
  tanh: (x) => t.tanh(x),
  exp: (x) => t.exp(x),
  square: (x) => t.square(x),
  add: (x, y) => t.add(square2(x), y.rank === 2 && y.size === 4 ? y : t.sum(y)),
  mul: (x, y) => t.mul(x, t.sameShape(x.shape, y.shape) ? y : t.mean(y)),
  sub: (x, y) => t.sub(square2(x), square2(y)),
  maximum: (x, y) => t.maximum(square2(y), square2(x)),
  flat: (x) => t.reshape(x, [x.size]),
  square2,
  head: (x) => t.slice(square2(x), 0, 1),
  tail: (x) => t.slice(square2(x), 1),
  column: (x) => t.slice(square2(x), [0, 1], [2, 2]),
  // A value beside a part of itself, which is read again and again.
  plusHead: (x) => t.add(square2(x), t.slice(square2(x), 0, 1)),
  plusTail: (x) => t.sub(square2(x), t.slice(square2(x), 1)),
  half: (x, y) => t.slice(t.concat([square2(x), square2(y)]), 1, 3),
  matmul: (x, y) => t.matmul(square2(x), square2(y), { transposeB: true }),
  transpose: (x) => t.transpose(square2(x)),
  total: (x) => t.sum(x),
  rows: (x) => t.sum(square2(x), { axis: 0 }),
  // Axes that lie apart need working memory.
  corners: (x) => t.sum(t.reshape(square2(x), [2, 1, 2]), { axis: [0, 2] }),
  softmax: (x) => t.softmax(square2(x)),
  uniform: (x, _, key, index) => t.add(x, t.uniform(t.foldIn(key, index), x.shape)),
  check: (x) => t.gather(square2(x), t.argMax(square2(x), { axis: 1 })),
  empty: (x) => t.slice(square2(x), 0, 0),
  constant: (x, _, _key, index) => t.add(x, index % 3),
}

/** The function that the steps describe, on four tensors, a number and a key. */
function programOf(steps: readonly Step[], returned: readonly number[]): Program {
  return (inputs: readonly t.Tensor[], n: number, key: t.Key) => {
    const values = [...inputs, t.mul(inputs[0]!, n)]
    // The later ones rather: they are in the program's own memory.
    const pick = (index: number): t.Tensor => values[values.length - 1 - (index % values.length)]!
    for (const [name, a, b = 0] of steps) values.push(made[name]!(pick(a), pick(b), key, a))
    return returned.map(pick)
  }
}

const program = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 25 }),
  returned: fc.array(at, { maxLength: 6 }),
  wanted: fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
  donate: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
  outputs: fc.constantFrom('anywhere', 'apart', 'own'),
  fed: fc.boolean(),
  fuse: fc.boolean(),
})

function recorded(f: Program, args: readonly unknown[]): { recording: Recording; leaves: readonly Leaf[] } {
  const { signatures, leaves } = signatureOf(args)
  const recording = record('compile', f, signatures, leaves)
  if (recording === null) throw new Error('captures nothing')
  return { recording, leaves }
}

describe('a plan', () => {
  const inputs = () => [
    t.tensor([
      [0.1, -0.2],
      [0.3, 0.4],
    ]),
    t.tensor([
      [1, 2],
      [-3, 0],
    ]),
    t.tensor([0.5, 1, 1.5, 2]),
    t.tensor([
      [0, 1],
      [1, 0],
    ]),
  ]

  it('reads nothing that was written over, writes nothing that is not its own, keeps its results', () => {
    fc.assert(
      fc.property(program, ({ steps, returned, wanted, donate, outputs, fed, fuse }) => {
        t.scope(() => {
          const f = programOf(steps as readonly Step[], returned)
          const given = inputs().map((x, i) =>
            fed && i === 2 ? { shape: x.shape, values: x.toFloat32Array() } : x,
          )
          const { recording, leaves } = recorded(f, [given, 0.5, t.key(1)])
          const options: PlanOptions = {
            leaves,
            isDonated: ({ kind, path }) => outputs !== 'own' && kind === 'tensor' && donate[Number(path)]!,
            isWanted: (path) => wanted[Number(path)]!,
            outputs,
            fuse,
          }
          checkPlan(plan(recording.graph, options), recording.graph.inputs, options)
          for (const storage of recording.constants) release(storage)
        })
      }),
      { numRuns },
    )
  })

  it('gives the bits of the function, run as it says', () => {
    fc.assert(
      fc.property(program, fc.boolean(), ({ steps, returned, wanted, donate }, reuse) => {
        const f = programOf(steps as readonly Step[], returned)
        const args = () => [inputs(), 0.5, t.key(1)] as const
        const expected = eagerly(f, args) as readonly unknown[]
        const split = (
          list: readonly t.Tensor[],
          n: number,
          key: t.Key,
          more: readonly t.Tensor[],
        ): unknown => f(...([list.map((x, i) => x ?? more[i]!), n, key] as never[]))
        const compiled = t.compile(split, { donate: [0], reuse })
        compiled.select((path) => wanted[Number(path)]!)
        for (let call = 0; call < 2; call++) {
          t.scope(() => {
            const [list, n, key] = args()
            const donated = list.map((x, i) => (donate[i] ? x : null))
            const kept = list.map((x, i) => (donate[i] ? null : x))
            const result = compiled(donated as never, n, key, kept as never)
            expect(bitsOf(result)).toEqual(expected.map((bits, i) => (wanted[i] ? bits : null)))
          })
        }
        compiled.dispose()
      }),
      { numRuns },
    )
  })
})
