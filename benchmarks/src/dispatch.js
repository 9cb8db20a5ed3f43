/**
 * Question: what does an operation cost above its kernel, and a small training step in all?
 *
 *     npm run build && npm run dispatch -w benchmarks
 *
 * Everything runs in one process, in interleaved rounds; figures are medians of short samples. Warm-up is by time (DECISIONS 11), of
 * the processor: on a busy machine the compiler waits too. What an operation costs above its kernel is its own time minus that of the
 * bare kernel on offsets that are fixed. Exits with 1 where an operation on a tape misses the aim.
 */
import * as t from '@tapeflow/autodiff'
import * as nn from '@tapeflow/nn'
import * as optim from '@tapeflow/optim'
import { backwardCases, emptyTape, operationCases, surfaceSteps, TOGETHER } from './dispatch-cases.js'
import { median } from './timing.js'

const WARM_SECONDS = 0.15
const WARM_STEP_SECONDS = 3
const SAMPLE_MS = 0.5
const ROUNDS = 151
const AIM = 0.3

/** @param {string} path */
const inside = (path) => import(new URL(path, import.meta.resolve('@tapeflow/autodiff')).href)
const names = ['relu', 'add', 'mul', 'where']
const found = await Promise.all(names.map((name) => inside(`./ops/${name}.js`)))
const internals = {
  loops: await inside('./kernels/loops.js'),
  wasm: await inside('./kernels/wasm.js'),
  memory: await inside('./memory.js'),
  operations: Object.fromEntries(names.map((name, i) => [name, found[i][`${name}Operation`]])),
}
const library = { t, nn, optim, internals }

/** @typedef {{ times: number, warm: number, samples: number[], run: (times: number) => void }} Timed */

/** @type {Map<string, Timed>} */
const timed = new Map()

/**
 * @param {string} name
 * @param {(times: number) => void} run
 * @param {number} [warm] seconds
 */
function add(name, run, warm = WARM_SECONDS) {
  timed.set(name, { times: TOGETHER, warm, samples: [], run })
}

const operations = operationCases(library)
const backward = backwardCases(library)
const { eager, folded, replayed } = surfaceSteps(library)
for (const { name, kernel, outside, inScope, recorded } of operations) {
  add(`${name} kernel`, kernel)
  add(`${name} outside`, outside)
  add(`${name} scope`, inScope)
  add(`${name} tape`, recorded)
}
for (const { name, forward, both } of backward) {
  add(`${name} forward`, forward)
  add(`${name} both`, both)
}
add('empty tape', emptyTape(library))
/** @param {() => void} step */
const steps = (step) => (/** @type {number} */ times) => {
  for (let i = 0; i < times; i++) step()
}
add('W3 eager', steps(eager), WARM_STEP_SECONDS)
add('W3 fold', folded, WARM_STEP_SECONDS)
add('W3 compiled', steps(replayed), WARM_STEP_SECONDS)

// Twice: the first ones are slower again when others have run the same code on other things.
for (let turn = 0; turn < 2; turn++) {
  for (const one of timed.values()) {
    const start = process.cpuUsage()
    let [ran, passed] = [0, 0]
    do {
      one.run(one.times)
      ran += one.times
      const { user, system } = process.cpuUsage(start)
      passed = (user + system) / 1000
    } while (passed < one.warm * 1000)
    one.times = TOGETHER * Math.max(1, Math.round((SAMPLE_MS * ran) / passed / TOGETHER))
  }
}
for (let round = 0; round < ROUNDS; round++) {
  for (const { run, times, samples } of timed.values()) {
    const start = performance.now()
    run(times)
    samples.push(((performance.now() - start) * 1000) / times)
  }
}

/** @param {string} name @returns {number} microseconds */
const figure = (name) => median(/** @type {Timed} */ (timed.get(name)).samples)
/** @param {number} microseconds */
const shown = (microseconds) => microseconds.toFixed(3).padStart(8)

console.log('microseconds above the kernel     kernel outside in scope  on tape')
let missed = 0
const tape = figure('empty tape')
for (const { name } of operations) {
  const kernel = figure(`${name} kernel`)
  const [outside, inScope] = [figure(`${name} outside`) - kernel, figure(`${name} scope`) - kernel]
  // The tape and its scope are no part of an operation.
  const recorded = figure(`${name} tape`) - tape - kernel
  if (recorded > AIM) missed++
  console.log(name.padEnd(32), shown(kernel), shown(outside), shown(inScope), shown(recorded))
}
console.log('\nbackward, microseconds an entry, its kernels included')
for (const { name } of backward)
  console.log(name.padEnd(36), shown(figure(`${name} both`) - figure(`${name} forward`)))
if (missed > 0) process.exitCode = 1
console.log(`\nan empty tape, there and back: ${(tape * TOGETHER).toFixed(2)} µs`)
for (const name of ['W3 eager', 'W3 fold', 'W3 compiled']) {
  console.log(`${name}: ${figure(name).toFixed(2)} µs a step`)
}
console.log(
  `${missed} of ${operations.length} operations take more than ${AIM} µs above their kernel on a tape`,
)
