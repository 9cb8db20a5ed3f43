import * as t from '@tapeflow/autodiff'
import type { Draw } from '@tapeflow/autodiff/testing'
import fc from 'fast-check'
import { drawFrom } from './draws.ts'
import {
  type Caller,
  type Drawn,
  type Known,
  type Operand,
  type Pool,
  pick,
  pickFrom,
  type Range,
} from './program-calls.ts'
import {
  type Argument,
  call,
  type Line,
  linesBetween,
  literal,
  type Program,
  type ProgramInput,
  programOf,
  shapeOf,
  valueAt,
} from './program-lines.ts'
import { callers } from './program-operations.ts'
import { shrunkAgain } from './shrunk-again.ts'

/** What programs to make. */
export interface ProgramsOptions {
  /** Whether there are lines that take a gradient, of what other lines compute; false by default. */
  readonly gradients?: boolean
  /** The operations that lines call; all by default. Constants, random numbers and lines that repeat are there besides. */
  readonly operations?: readonly string[]
}

const mostLines = 30
const mostInputs = 4
const mostElements = 600
/** Guesses beyond this are tamed. */
const most = 1e6

/**
 * Random programs: 1 to 30 lines out of all operations, random tensors and constants, on up to four tensors, keys and
 * numbers. Values are used several times and not at all; lines repeat; sizes end inside, at and behind groups of 4 lanes,
 * empty ones among them. Nearly all numbers stay finite.
 *
 * They shrink to few lines on small tensors, and fast-check prints a counterexample as code.
 *
 * @param options.gradients whether gradients are taken inside of programs, and of gradients again; false by default
 * @param options.operations the names of those that are called, all by default
 * @throws RangeError where there is no operation of a name
 * @example
 * const program = fc.sample(programs(), { numRuns: 1, seed: 1 })[0]
 * const once = t.scope(() => program.run(t.fromSnapshot(program.inputs)).map(String))
 * const again = t.scope(() => program.run(t.fromSnapshot(program.inputs)).map(String))
 * String(once) === String(again) // => true
 * String(program).startsWith("import * as t from '@tapeflow/autodiff'") // => true
 */
export function programs(options: ProgramsOptions = {}): fc.Arbitrary<Program> {
  const { gradients = false, operations = [...callers.keys()] } = options
  const kinds = kindsOf(operations, gradients)
  const drawn = fc.tuple(
    // Shrinking looks at it first: lines that come too late to matter go together.
    fc.noBias(fc.integer({ min: 1, max: mostLines })),
    slots(mostInputs, 9, 2),
    slots(mostLines, 14, 50),
    fc.array(fc.nat(mostInputs + mostLines), { maxLength: 3 }),
  )
  return shrunkAgain(drawn).map(([count, inputs, lines, returned]) =>
    build(inputs, lines.slice(0, count), returned, kinds),
  )
}

/** What an input or a line is drawn from; null where there is none. */
type Slot = readonly number[] | null

/** Slots, one in `freq` of them empty. They shrink to empty ones first: what does not matter goes before numbers are looked at. */
function slots(count: number, numbers: number, freq: number): fc.Arbitrary<readonly Slot[]> {
  // 840 has every divisor to 8; more would take longer to shrink.
  const drawn = fc.array(fc.nat(839), { minLength: numbers, maxLength: numbers })
  return fc.noBias(fc.array(fc.option(drawn, { freq }), { minLength: count, maxLength: count }))
}

function build(
  inputSlots: readonly Slot[],
  lineSlots: readonly Slot[],
  returned: readonly number[],
  kinds: readonly Kind[],
): Program {
  const values: Known[] = []
  const inputs: ProgramInput[] = []
  const others: ProgramInput[] = []
  for (const [slot, numbers] of filled(inputSlots)) {
    const { value, other, ...known } = drawInput(drawFrom(numbers), values.at(-1)?.shape ?? null)
    values.unshift({ ...known, index: inputs.length, slot })
    inputs.push(value)
    others.push(other)
  }
  const lines: Line[] = []
  const outputs: number[] = []
  for (const [place, numbers] of filled(lineSlots)) {
    const draw = drawFrom(numbers)
    const isReturned = draw.integer(0, 3) === 0
    const index = inputs.length + lines.length
    const slot = mostInputs + place
    const { made, ...known } = drawLine(draw, { values, slot }, lines, kinds)
    lines.push({ index, made })
    values.unshift({ ...known, index, slot })
    if (isReturned && known.kind === 'tensor') outputs.push(index)
  }
  const tensors = values.filter(({ kind }) => kind === 'tensor')
  for (const place of returned) {
    outputs.push((tensors.find(({ slot }) => slot <= place) ?? tensors.at(-1)!).index)
  }
  if (outputs.length === 0) outputs.push(tensors[0]!.index)
  const whole = values.filter(
    ({ kind, index, integer }) => kind === 'tensor' && integer && index < inputs.length,
  )
  const fixed = whole.map(({ index }) => String(index)).sort()
  return programOf(inputs, others, lines, outputs, fixed)
}

// Where all are empty, the smallest is drawn.
function filled(given: readonly Slot[]): readonly (readonly [place: number, numbers: readonly number[]])[] {
  const found = [...given.entries()].flatMap(([place, numbers]) =>
    numbers === null ? [] : [[place, numbers] as const],
  )
  return found.length === 0 ? [[0, []]] : found
}

interface DrawnInput extends Omit<Known, 'index' | 'slot'> {
  readonly value: ProgramInput
  readonly other: ProgramInput
}

/** @param before the shape of the first input, null where this is it */
function drawInput(draw: Draw, before: t.Shape | null): DrawnInput {
  const drawn = draw.pick(['tensor', 'tensor', 'key', 'number', 'tensor', 'indices', 'key', 'count'])
  const seed = draw.integer(0, 839)
  const scalar = { shape: [], low: 0, high: 0, integer: false }
  // Something to compute with there always is.
  const kind = before === null ? 'tensor' : drawn
  if (kind === 'key') return { kind, ...scalar, value: t.key(seed), other: t.key(seed + 1) }
  if (kind === 'number') {
    const at = (k: number): number => 0.25 + ((0.5 + k * 0.618034) % 1) / 2
    return { kind, ...scalar, low: 0.25, high: 0.75, value: at(seed), other: at(seed + 1) }
  }
  if (kind === 'count') {
    return { kind: 'number', ...scalar, high: 9, integer: true, value: seed % 10, other: (seed + 1) % 10 }
  }
  const range = kind === 'indices' ? { low: 0, high: draw.integer(0, 4), integer: true } : draw.pick(ranges)
  const shape = before === null ? draw.shape(0, 3) : relatedShape(before, draw)
  const [values, others] = [0, 1].map((shift) => numbersIn(range, t.sizeOf(shape), seed, shift))
  if (kind === 'tensor' && draw.integer(0, 15) === 15) values!.fill(draw.pick(specials), 0, 1)
  return {
    kind: 'tensor',
    shape,
    ...range,
    value: { shape, values: values! },
    other: { shape, values: others! },
  }
}

const ranges: readonly Range[] = [
  { low: -3, high: 3, integer: false },
  { low: 0.05, high: 9, integer: false },
  { low: -1, high: 1, integer: false },
]

const specials = [Number.NaN, -0, Number.POSITIVE_INFINITY, 2 ** -149, -3e38, Number.NEGATIVE_INFINITY]

/** Shapes that have to do with one another: they broadcast, or can be multiplied. */
function relatedShape(before: t.Shape, draw: Draw): t.Shape {
  const choice = draw.integer(0, 5)
  if (choice === 0) return before
  if (choice === 1) return before.toReversed()
  if (choice === 2) return before.slice(1)
  if (choice === 3) return before.map((size, i) => (i === before.length - 1 ? 1 : size))
  if (choice === 4) return [before.at(-1) ?? 2, draw.pick([2, 1, 3, 5, 4, 17])]
  return draw.shape(0, 3)
}

// Seed 0 gives whole numbers in order, for counterexamples to be read; the others full mantissas, which round.
function numbersIn(
  { low, high, integer }: Range,
  count: number,
  seed: number,
  shift: number,
): Float32Array<ArrayBuffer> {
  const first = Math.ceil(low)
  const several = Math.floor(high) - first + 1
  if (seed === 0) return Float32Array.from({ length: count }, (_, i) => first + ((i + shift) % several))
  const key = t.key([shift, seed])
  if (integer) return Float32Array.from(t.uniformValues(key, count, 0, several), Math.floor)
  return Float32Array.from(t.uniformValues(key, count, low, high))
}

interface Found extends Range {
  readonly made: Line['made']
  readonly shape: t.Shape
  readonly kind: Known['kind']
}

/** A way to make a line; null where the values so far do not allow for it. */
type Kind = (pool: Pool, draw: Draw, lines: readonly Line[], isWild: boolean) => Found | null

function drawLine(draw: Draw, pool: Pool, lines: readonly Line[], kinds: readonly Kind[]): Found {
  const isWild = draw.integer(0, 15) === 15
  // What is infinite or not a number already is seldom computed with: it would be everywhere soon.
  const usable = isWild ? pool : { ...pool, values: pool.values.filter(isTame) }
  const first = draw.integer(0, kinds.length - 1)
  for (let i = 0; ; i++) {
    const found = kinds[(first + i) % kinds.length]!(usable, draw, lines, isWild)
    if (found !== null && t.sizeOf(found.shape) <= mostElements) return found
  }
}

const isTame = ({ low, high }: Range): boolean => Math.max(Math.abs(low), Math.abs(high)) <= most

const tamings: readonly ((x: Operand) => Operand)[] = [
  (x) => x,
  (x) => ({ ...x, low: -1, high: 1, integer: false, argument: call('tanh', x.argument) }),
  (x) => {
    const squared = call('square', call('tanh', x.argument))
    return { ...x, low: 0.5, high: 1.5, integer: false, argument: call('add', squared, literal(0.5)) }
  },
]

const kindOfCaller =
  (caller: Caller): Kind =>
  (pool, draw, _, isWild) => {
    const drawn = caller(pool, draw)
    return drawn === null ? null : found(drawn, pool, isWild)
  }

/** The call, with the first taming of its operands that keeps it within bounds; with none where nothing does. */
function found(drawn: Drawn, pool: Pool, isWild: boolean): Found {
  const { operands, call: made, range } = drawn
  const tamed = (taming: (x: Operand) => Operand): readonly Operand[] =>
    operands.map((x) => (x.argument.kind === 'value' ? taming(x) : x))
  const chosen = isWild ? operands : (tamings.map(tamed).find((all) => isTame(range(...all))) ?? operands)
  const line = made(...chosen.map(({ argument }) => argument))
  const tensors = pool.values.filter(({ kind }) => kind === 'tensor')
  const { low, high, integer } = range(...chosen)
  return { made: line, kind: 'tensor', shape: shapeOf(line, tensors), low, high, integer }
}

/** A line once more, word for word. */
const againKind: Kind = (pool, draw, lines) => {
  const known = pickFrom(pool, draw, ({ index }) => lines.some((line) => line.index === index))
  const line = lines.find(({ index }) => index === known?.index)
  return line === undefined || known === undefined ? null : { ...known, made: line.made }
}

/** A shape like that of a value, so that the two can be combined. */
const shapeLike = (pool: Pool, draw: Draw): t.Shape => pick(pool, draw)?.shape ?? []

function pickKey(pool: Pool, draw: Draw): Argument | null {
  const key = pickFrom(pool, draw, ({ kind }) => kind === 'key')
  return key === undefined ? null : valueAt(key.index)
}

/** Random numbers; `parameters` are drawn by a number, which may be an input. */
const randomKind =
  (name: string, range: Range, parameters: (number: Argument) => readonly Argument[]): Kind =>
  (pool, draw) => {
    const key = pickKey(pool, draw)
    if (key === null) return null
    const shape = shapeLike(pool, draw)
    const input = pool.values.find(({ kind, integer }) => kind === 'number' && !integer)
    const number = input === undefined ? literal(0.5) : valueAt(input.index)
    const given = draw.integer(0, 1) === 0 ? [] : parameters(number)
    return { made: call(name, key, literal(shape), ...given), kind: 'tensor', shape, ...range }
  }

const permutationKind: Kind = (pool, draw) => {
  const key = pickKey(pool, draw)
  if (key === null) return null
  const count = draw.integer(1, 9)
  const made = call('permutation', key, literal(count))
  return { made, kind: 'tensor', shape: [count], low: 0, high: count - 1, integer: true }
}

const foldInKind: Kind = (pool, draw) => {
  const key = pickKey(pool, draw)
  if (key === null) return null
  const count = pool.values.find(({ kind, integer }) => kind === 'number' && integer)
  const written = draw.pick([literal(draw.integer(0, 3)), literal('dropout')])
  const name = count === undefined || draw.integer(0, 1) === 0 ? written : valueAt(count.index)
  return { made: call('foldIn', key, name), kind: 'key', shape: [], low: 0, high: 0, integer: false }
}

const constantKind: Kind = (pool, draw) => {
  const count = draw.integer(1, 5)
  const value = draw.pick([1, 0.5, -2, 0, 0.1])
  const shape = shapeLike(pool, draw)
  const first = { low: 0, high: count - 1, integer: true }
  const around = { low: value, high: value + count, integer: false }
  const numbers = Array.from({ length: count }, (_, i) => value + i)
  const made = draw.pick<Omit<Found, 'kind'>>([
    { made: call('full', literal(shape), literal(value)), shape, ...around },
    { made: call('tensor', literal(numbers)), shape: [count], ...around },
    { made: call('arange', literal(count)), shape: [count], ...first },
    { made: call('eye', literal(count)), shape: [count, count], low: 0, high: 1, integer: true },
    { made: call('tensor', literal(value)), shape: [], ...around },
  ])
  return { ...made, kind: 'tensor' }
}

/** The gradient of the sum of a value with respect to an input that it depends on. */
const gradientKind: Kind = (pool, draw, lines) => {
  // Gradients of gradients double what is computed.
  if (lines.filter(({ made }) => made.kind === 'gradient').length >= 2) return null
  const isInput = ({ index }: Known): boolean => index < (lines[0]?.index ?? 0)
  const by = pick(pool, draw, (known) => isInput(known) && !known.integer)
  if (by?.argument.kind !== 'value') return null
  const { index } = by.argument
  const of = pick(pool, draw, (known) => linesBetween(lines, index, known.index).length > 0)
  if (of?.argument.kind !== 'value') return null
  const body = linesBetween(lines, index, of.argument.index)
  const made = { kind: 'gradient', by: index, of: of.argument.index, body } as const
  return { made, kind: 'tensor', shape: by.shape, low: -100, high: 100, integer: false }
}

// Twice as often: views, whose memory is that of others, and what makes of several values one.
const favoured = ['reshape', 'slice', 'slice', 'matmul', 'concat']

function kindsOf(operations: readonly string[], gradients: boolean): readonly Kind[] {
  const called = [...operations, ...favoured.filter((name) => operations.includes(name))].map((name) => {
    const caller = callers.get(name)
    if (caller === undefined) t.failRange('programs', `there is no operation ${name} to call`)
    return kindOfCaller(caller)
  })
  return [...called, ...otherKinds, ...(gradients ? [gradientKind] : [])]
}

const otherKinds: readonly Kind[] = [
  againKind,
  constantKind,
  randomKind('normal', { low: -4, high: 4, integer: false }, (number) => [number, literal(2)]),
  randomKind('truncatedNormal', { low: -4, high: 4, integer: false }, (number) => [number, literal(2)]),
  randomKind('uniform', { low: 0, high: 2, integer: false }, (number) => [number, literal(2)]),
  randomKind('bernoulli', { low: 0, high: 1, integer: true }, (number) => [number]),
  permutationKind,
  foldInKind,
]
