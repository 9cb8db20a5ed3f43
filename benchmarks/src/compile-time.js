/**
 * Question: does the time to compile a training step grow linearly with the number of layers, and is it below 50 ms for
 * six of them in a fresh process?
 *
 *     npm run build && npm run compile-time -w benchmarks
 *
 * What is timed is `compile` and the first call: recording, planning, kernels that nobody compiled before, and one step.
 * Each number of layers has processes of its own. In each, the first compile is timed, and, when the engine has warmed up,
 * the median of several more. They run with a young generation of 64 MB: with V8's own of 16 MB the program of 64 layers
 * outlives it, and is copied by the garbage collector while it is made (8 us a kernel instead of 6). Draws docs/compile-time.svg, and exits with 1 when an aim is missed.
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { compile, isTensor, memory, visitLeaves } from '@tapeflow/autodiff'
import { deepMlp } from './deep-mlp.js'
import { median } from './interleave.js'
import { fitLine, plot } from './line-plot.js'

/** @typedef {{ layers: number, kernels: number, first: number, warm: number }} Sample first, warm: milliseconds */

const LAYERS = [2, 4, 6, 8, 16, 32, 64]
const PROCESSES = 5
const WARM_SECONDS = 1.5
const TIMED_COMPILES = 9

const { values } = parseArgs({ options: { layers: { type: 'string' } } })
if (values.layers === undefined) report()
else console.log(JSON.stringify(sample(Number(values.layers))))

/**
 * @param {number} layers
 * @returns {Sample}
 */
function sample(layers) {
  const first = compileOnce(layers)
  const start = performance.now()
  while (performance.now() - start < WARM_SECONDS * 1000) compileOnce(layers)
  const warm = median(Array.from({ length: TIMED_COMPILES }, () => compileOnce(layers)))
  return { layers, kernels: kernelsOf(layers), first, warm }
}

/**
 * @param {number} layers
 * @returns {number} milliseconds until the first step is done
 * @throws when something is left in the heap afterwards
 */
function compileOnce(layers) {
  const mlp = deepMlp(layers)
  const carry = mlp.begin()
  const start = performance.now()
  const step = compile(mlp.step, { donate: [0] })
  const made = step(carry, mlp.batch, mlp.hyper)
  const milliseconds = performance.now() - start
  visitLeaves([made, mlp.batch], (leaf) => {
    if (isTensor(leaf)) leaf.dispose()
  })
  step.dispose()
  if (memory().tensors !== 0) throw new Error(`compile leaks, got ${memory().tensors} tensors after dispose`)
  return milliseconds
}

/** @param {number} layers */
function kernelsOf(layers) {
  const mlp = deepMlp(layers)
  return compile(mlp.step, { donate: [0] }).plan(mlp.begin(), mlp.batch, mlp.hyper).planned.length
}

function report() {
  /** @type {Sample[]} */
  const runs = []
  // One process of each at a time, so that a machine that slows down slows all of them alike.
  for (let i = 0; i < PROCESSES; i++) for (const layers of LAYERS) runs.push(inFreshProcess(layers))
  const samples = LAYERS.map((layers) => mediansOf(runs.filter((run) => run.layers === layers)))
  for (const { layers, kernels, first, warm } of samples) {
    const each = `${((warm / kernels) * 1000).toFixed(1)} µs a kernel`
    console.log(
      `${layers} layers\t${kernels} kernels\tfirst ${first.toFixed(1)} ms\twarm ${warm.toFixed(2)} ms\t${each}`,
    )
  }
  const file = new URL('../../docs/compile-time.svg', import.meta.url)
  writeFileSync(file, drawn(samples))
  console.log(`written: ${fileURLToPath(file)}`)
  judge(samples)
}

/**
 * @param {number} layers
 * @returns {Sample}
 */
function inFreshProcess(layers) {
  const script = fileURLToPath(import.meta.url)
  const args = [...process.execArgv, '--max-semi-space-size=64', script, '--layers', String(layers)]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
}

/**
 * @param {readonly Sample[]} runs of one number of layers
 * @returns {Sample}
 */
function mediansOf(runs) {
  const [{ layers, kernels }] = /** @type {[Sample]} */ (runs)
  return {
    layers,
    kernels,
    first: median(runs.map(({ first }) => first)),
    warm: median(runs.map(({ warm }) => warm)),
  }
}

/**
 * @param {readonly Sample[]} samples
 * @returns {string} an SVG
 */
function drawn(samples) {
  /** @param {'first' | 'warm' | 'kernels'} what */
  const points = (what) => samples.map((one) => ({ x: one.layers, y: one[what] }))
  const series = /** @type {const} */ ([
    ['first in its process', 'first', '#c2571a'],
    ['warm', 'warm', '#1f6fb2'],
  ]).map(([name, what, colour]) => {
    const line = fitLine(points(what))
    const start = `${line.intercept < 0 ? '−' : '+'} ${Math.abs(line.intercept).toFixed(1)} ms`
    return {
      name: `${name}: ${line.slope.toFixed(2)} ms a layer ${start}`,
      points: points(what),
      line,
      colour,
    }
  })
  const each = fitLine(points('kernels')).slope.toFixed(0)
  const machine = `Node ${process.version.slice(1)}, ${cpus()[0]?.model ?? 'unknown'}`
  return plot({
    title: 'From compile to the end of the first step, by number of layers',
    subtitle: `Training step of an MLP of width 64, batch 32, tanh, Adam: ${each} kernels a layer. ${machine}`,
    x: 'layers',
    y: 'ms',
    series,
  })
}

/** @param {readonly Sample[]} samples */
function judge(samples) {
  const [few, six, many] = [4, 6, 64].map((layers) => samples.find((sample) => sample.layers === layers))
  if (few === undefined || six === undefined || many === undefined) return
  const growth = many.warm / many.kernels / (few.warm / few.kernels)
  const claims = /** @type {const} */ ([
    [`6 layers take less than 50 ms in a fresh process: ${six.first.toFixed(1)} ms`, six.first < 50],
    [`a kernel takes no longer among 64 layers than among 4: ${growth.toFixed(2)} times`, growth < 1.35],
  ])
  for (const [claim, holds] of claims) {
    console.log(`${holds ? 'holds' : 'FAILS'}: ${claim}`)
    if (!holds) process.exitCode = 1
  }
}
