import { failRange } from '../fail.ts'
import type { Numerics } from '../numerics.ts'
import type { Value } from './lanes.ts'
import { input, opcodes } from './lanes.ts'
import { keep, once, perElement, perRow, type Step, schedule } from './schedule.ts'
import { encodeModule, noResult, wasm, writer } from './wasm-encoder.ts'

/** An elementwise computation, written with `expression.ts`: of one result, or of several. */
export type Expression<R = Value> = (...inputs: Value[]) => R

/** What an expression comes to. */
export type Results = Value | readonly Value[]

/**
 * A compiled loop: `out[o * inner + i] = expression(…)` for o below `outer` and i below `inner`.
 *
 * @param out the output's address: `outer * inner` contiguous floats. It may be the address of an input that has
 * the same layout
 * @param inputs two numbers for each input: its address, and the bytes from one row to the next (0 repeats the row); then the
 * addresses of further outputs, where the expression has several results
 */
export type Loop = (out: number, outer: number, inner: number, ...inputs: number[]) => void

// Instructions that read and write memory.
const load = 0x00
const loadSplat = 0x09
const loadZero = 0x5c
const store = 0x0b
const storeLane = 0x5a
const integerSplat = 0x11
const numberSplat = 0x13
const doubleSplat = 0x14

// A select whose first operand is computed only where a mask is true somewhere.
const anyTrue = 0x53
const bitSelect = 0x52

// Which bytes a shuffle takes: of a, then of b.
const bytesFrom = (...starts: number[]): number[] =>
  starts.flatMap((start) => Array.from({ length: 8 }, (_, i) => start + i))
const shuffles: Readonly<Record<string, readonly number[]>> = {
  upper: /*@__PURE__*/ bytesFrom(8, 8),
  join: /*@__PURE__*/ bytesFrom(0, 16),
}

// Where the function's own parameters are; the pairs of the inputs follow.
const out = 0
const outer = 1
const inner = 2
const address = (k: number): number => 3 + 2 * k
const rowBytes = (k: number): number => 4 + 2 * k

// A body of up to 8 steps is shorter than the loop around it: four in a row took 0.05-0.10 ns an element where one
// took 0.09-0.16 (adds and products in cache); longer bodies gain nothing.
const shortBody = 8
const repeats = 4

/**
 * The bytes of a WebAssembly module whose one export, `run`, is the expression's `Loop` over the memory that it
 * imports, `env.memory`.
 *
 * What depends on constants alone is computed once, and what depends on 's' inputs once per row. The last
 * `inner % 4` elements of a row go one at a time through the same instructions: the bits of an element do not
 * depend on its place, and nothing outside the rows is read or written.
 *
 * @param pattern one letter per input: 'v' advances along the inner axis, 4 bytes an element; 's' has one value
 * for the whole row
 * @param shared whether the memory is shared between threads
 * @param numerics the numeric mode, where it is not strict
 * @throws RangeError if the pattern has another letter, or fewer letters than the expression has inputs
 *
 * @example
 * const bytes = emitLoop((x) => x, 'v')
 * assert(WebAssembly.validate(bytes))
 */
export function emitLoop(
  expression: Expression<Results>,
  pattern: string,
  shared = false,
  numerics: Numerics | null = null,
): Uint8Array<ArrayBuffer> {
  const count = pattern.length
  const inputs: Value[] = []
  const moving: number[] = []
  for (let k = 0; k < count; k++) {
    if (pattern[k] === 'v') moving.push(k)
    else if (pattern[k] !== 's') {
      const problem = `a letter of the pattern is neither v nor s, got '${pattern}'`
      failRange('emitLoop', problem, 'write one of them per input')
    }
    inputs.push(input(k))
  }
  if (expression.length > count) {
    const problem = `the pattern is too short, got '${pattern}' for ${expression.length} inputs`
    failRange('emitLoop', problem, 'write one letter per input')
  }
  const expressed = expression(...inputs)
  const { steps, results } = schedule(
    'kind' in expressed ? [expressed] : expressed,
    pattern,
    numerics?.contracts === true,
  )
  const extra = results.length - 1
  const outputOf = (k: number): number => (k === 0 ? out : address(count) + k - 1)

  const parameters = address(count) + extra
  const end = parameters + moving.length
  const vectorEnd = end + 1
  const blockEnd = end + 2
  const firstVector = end + 3
  const vectors = keep(steps, extra > 0, firstVector) - firstVector
  // An input's place in the current row; 's' inputs have none.
  const cursor = (k: number): number => parameters + moving.indexOf(k)

  const w = writer()
  const advance = (local: number, by: number): void => {
    w.get(local)
    w.integer(by)
    w.op(wasm.i32Add)
    w.set(local)
  }

  // The steps whose variables hold their values by now.
  let known = new Set<Step>()
  /** Computes onto the stack; the bytes of an element are read by `read` at `offset`. */
  const compute = (step: Step, read: number, offset: number): void => {
    if (known.has(step)) {
      w.get(step.local)
      return
    }
    const { op: name, value } = step.node
    if (name === 'selectRarely') {
      computeRarely(step, read, offset)
      return
    }
    for (const s of step.inputs) compute(s, read, offset)
    if (name === 'input') {
      w.get(step.when === perRow ? address(value) : cursor(value))
      w.memory(step.when === perRow ? loadSplat : read, offset)
    } else if (name === 'constant') {
      w.number(value)
      w.simd(numberSplat)
    } else if (name === 'double') {
      w.double(value)
      w.simd(doubleSplat)
    } else if (name === 'integer') {
      w.integer(value)
      w.simd(integerSplat)
    } else if (name !== 'cast') {
      if (name.startsWith('shift')) w.integer(value)
      w.simd(opcodes[name])
      const bytes = shuffles[name]
      if (bytes !== undefined) w.op(...bytes)
    }
    if (step.local === 0) return
    known.add(step)
    w.tee(step.local)
  }
  /** As a select, but that what is computed in the branch is not known after it. */
  const computeRarely = (step: Step, read: number, offset: number): void => {
    const [rare, usual, mask] = step.inputs as [Step, Step, Step]
    compute(usual, read, offset)
    w.set(step.local)
    compute(mask, read, offset)
    w.simd(anyTrue)
    w.op(wasm.if, noResult)
    const before = known
    known = new Set(before)
    compute(rare, read, offset)
    w.get(step.local)
    compute(mask, read, offset)
    w.simd(bitSelect)
    w.set(step.local)
    w.op(wasm.end)
    known = before
    known.add(step)
    w.get(step.local)
  }
  const hoist = (when: number): void => {
    for (const step of steps) {
      if (step.when !== when || step.local === 0) continue
      compute(step, load, 0)
      w.op(wasm.drop)
    }
  }

  /** From `out` to `limit`: `times` groups of `width` bytes each time around. */
  const run = (limit: number, width: number, times: number): void => {
    w.get(out)
    w.get(limit)
    w.op(wasm.i32Ne, wasm.if, noResult, wasm.loop, noResult)
    const before = known
    for (let k = 0; k < times; k++) {
      known = new Set(before)
      const read = width === 16 ? load : loadZero
      for (const step of extra > 0 ? results : []) {
        compute(step, read, width * k)
        w.op(wasm.drop)
      }
      for (const [i, step] of results.entries()) {
        w.get(outputOf(i))
        compute(step, read, width * k)
        w.memory(width === 16 ? store : storeLane, width * k)
        if (width !== 16) w.op(0)
      }
    }
    known = before
    for (const k of moving) advance(cursor(k), width * times)
    for (let k = extra; k >= 0; k--) advance(outputOf(k), width * times)
    w.get(out)
    w.get(limit)
    w.op(wasm.i32Ne, wasm.brIf, 0, wasm.end, wasm.end)
  }
  /** Sets `local` to where the row ends, as far as it fills groups of `group` elements. */
  const endOf = (group: number, local: number): void => {
    w.get(inner)
    w.integer(-group)
    w.op(wasm.i32And)
    w.integer(2)
    w.op(wasm.i32Shl)
    w.get(out)
    w.op(wasm.i32Add)
    w.set(local)
  }

  const work = steps.filter((s) => s.when === perElement).length
  const times = work <= shortBody ? repeats : 1

  w.get(outer)
  w.op(wasm.i32Eqz)
  w.get(inner)
  w.op(wasm.i32Eqz, wasm.i32Or, wasm.if, noResult, wasm.return, wasm.end)
  hoist(once)
  w.op(wasm.loop, noResult)
  hoist(perRow)
  for (const k of moving) {
    w.get(address(k))
    w.set(cursor(k))
  }
  endOf(1, end)
  endOf(4, vectorEnd)
  if (times > 1) {
    endOf(4 * times, blockEnd)
    run(blockEnd, 16, times)
  }
  run(vectorEnd, 16, 1)
  run(end, 4, 1)
  for (let k = 0; k < count; k++) {
    w.get(address(k))
    w.get(rowBytes(k))
    w.op(wasm.i32Add)
    w.set(address(k))
  }
  advance(outer, -1)
  w.get(outer)
  w.op(wasm.brIf, 0, wasm.end, wasm.end)

  return encodeModule(parameters, firstVector - parameters, vectors, w.code, shared)
}

/**
 * Compiles the expression's loop over `memory`, synchronously.
 *
 * @param memory the memory that addresses refer to; it must have a maximum
 */
export function compileLoop(
  expression: Expression<Results>,
  pattern: string,
  memory: WebAssembly.Memory,
  shared: boolean,
  numerics: Numerics | null = null,
): Loop {
  const module = new WebAssembly.Module(emitLoop(expression, pattern, shared, numerics))
  return new WebAssembly.Instance(module, { env: { memory } }).exports.run as Loop
}
