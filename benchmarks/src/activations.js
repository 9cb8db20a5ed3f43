/**
 * Question: what does an element of every activation cost, forward and backward, beside plain JavaScript and `Math`?
 *
 *     npm run build && npm run activations -w benchmarks [-- --write]
 *
 * All cases are timed in interleaved rounds of one run. A figure is the fastest of the rounds, which are as short as timing allows:
 * what else the machine does only adds. `--write` renews docs/activations.md.
 */
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import * as t from '@tapeflow/autodiff'
import { uniformFrom } from './workloads.js'

/** @typedef {{ name: string, f: (x: t.Tensor) => t.Tensor, plain?: (x: number) => number }} Activation */
/** @typedef {{ name: string, figures: (number | null)[] }} Row forward, forward and backward, the same compiled, plain JavaScript */

const SIZES = [10_000, 1_000_000]
const ROUNDS = 31
const ROUND_SECONDS = 0.001
const WARM_CALLS = 100
const WARM_SECONDS = 0.1
const { exp, expm1, log1p, max, min, sqrt, tanh, PI } = Math
const softplus = (/** @type {number} */ x) => max(x, 0) + log1p(exp(-Math.abs(x)))

/** @type {Activation[]} */
const activations = [
  { name: 'relu', f: t.relu, plain: (x) => max(x, 0) },
  { name: 'leakyRelu', f: (x) => t.leakyRelu(x), plain: (x) => (x > 0 ? x : 0.01 * x) },
  { name: 'relu6', f: t.relu6, plain: (x) => min(max(x, 0), 6) },
  { name: 'hardTanh', f: t.hardTanh, plain: (x) => min(max(x, -1), 1) },
  { name: 'hardSigmoid', f: t.hardSigmoid, plain: (x) => min(max(x + 3, 0), 6) / 6 },
  { name: 'step', f: t.step, plain: (x) => (x >= 0 ? 1 : 0) },
  { name: 'softsign', f: t.softsign, plain: (x) => x / (1 + Math.abs(x)) },
  { name: 'tanh', f: t.tanh, plain: tanh },
  { name: 'sigmoid', f: t.sigmoid, plain: (x) => 1 / (1 + exp(-x)) },
  { name: 'elu', f: (x) => t.elu(x), plain: (x) => (x > 0 ? x : expm1(x)) },
  { name: 'selu', f: t.selu, plain: (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * expm1(x)) },
  { name: 'softplus', f: t.softplus, plain: softplus },
  { name: 'silu', f: t.silu, plain: (x) => x / (1 + exp(-x)) },
  { name: 'mish', f: t.mish, plain: (x) => x * tanh(softplus(x)) },
  { name: 'gelu', f: (x) => t.gelu(x) },
  {
    name: "gelu, 'tanh'",
    f: (x) => t.gelu(x, { approximate: 'tanh' }),
    plain: (x) => 0.5 * x * (1 + tanh(sqrt(2 / PI) * (x + 0.044715 * x ** 3))),
  },
  { name: 'exp', f: t.exp, plain: exp },
  { name: 'expm1', f: t.expm1, plain: expm1 },
  { name: 'log1p of |x|', f: (x) => t.log1p(x), plain: log1p },
  { name: 'erf', f: t.erf },
]

/**
 * @param {Activation} activation
 * @param {number} size
 * @returns {(((times: number) => void) | null)[]} each does its work so often: forward, forward and backward, compiled, plain
 */
function casesOf({ name, f, plain }, size) {
  const uniform = uniformFrom(size)
  const low = name.startsWith('log1p') ? 0 : -4
  const values = Float32Array.from({ length: size }, () => low + (4 - low) * uniform())
  const x = t.tensor(values)
  const g = t.tensor(Float32Array.from({ length: size }, () => uniform() - 0.5))
  const both = (/** @type {t.Tensor} */ at, /** @type {t.Tensor} */ cotangent) => t.vjp(f, at, cotangent)
  const compiled = t.compile(both)
  const run = (/** @type {typeof both} */ pull) => (/** @type {number} */ times) => {
    for (let i = 0; i < times; i++) {
      const { value, gradients } = pull(x, g)
      value.dispose()
      gradients.dispose()
    }
  }
  const forward = (/** @type {number} */ times) => {
    for (let i = 0; i < times; i++) f(x).dispose()
  }
  return [forward, run(both), run(compiled), plain === undefined ? null : plainLoop(plain, values)]
}

/**
 * A loop of its own for each function: one loop over all of them would call what it can no longer inline.
 *
 * @param {(x: number) => number} plain
 * @param {Float32Array} values
 * @returns {(times: number) => void}
 */
function plainLoop(plain, values) {
  const output = new Float32Array(values.length)
  const source = 'for (let k = 0; k < times; k++) for (let i = 0; i < x.length; i++) y[i] = f(x[i])'
  const loop = new Function('f', 'x', 'y', 'times', source)
  return (times) => loop(plain, values, output, times)
}

/**
 * @param {number} size
 * @returns {Row[]} nanoseconds an element
 */
function measure(size) {
  const rows = activations.map((activation) => ({ name: activation.name, cases: casesOf(activation, size) }))
  const timed = rows.flatMap(({ cases }) => cases.filter((run) => run !== null))
  const counts = new Map(timed.map((run) => [run, warmUp(run)]))
  /** @type {Map<(times: number) => void, number[]>} */
  const seen = new Map(timed.map((run) => [run, []]))
  for (let round = 0; round < ROUNDS; round++) {
    for (const [run, times] of counts) {
      const start = performance.now()
      run(times)
      seen.get(run)?.push(((performance.now() - start) * 1e6) / times / size)
    }
  }
  return rows.map(({ name, cases }) => ({
    name,
    figures: cases.map((run) => (run === null ? null : min(...(seen.get(run) ?? [])))),
  }))
}

/**
 * @param {(times: number) => void} run
 * @returns {number} how many calls a round takes
 */
function warmUp(run) {
  const start = performance.now()
  let calls = 0
  for (; calls < 3 || (performance.now() - start < WARM_SECONDS * 1000 && calls < 50 * WARM_CALLS); calls++)
    run(1)
  const seconds = (performance.now() - start) / 1000
  return Math.max(1, Math.round((calls * ROUND_SECONDS) / seconds))
}

const heads = ['activation', 'forward', 'and backward, eager', 'and backward, compiled', '`Math`, forward']

/** @param {readonly Row[]} rows */
function table(rows) {
  const lines = rows.map(({ name, figures }) => [
    name,
    ...figures.map((ns) => (ns === null ? '–' : ns.toFixed(2))),
  ])
  const all = [heads, heads.map((_, i) => (i === 0 ? '---' : '---:')), ...lines]
  return all.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

const { values: given } = parseArgs({ options: { write: { type: 'boolean', default: false } } })
const machine = `Node ${process.version.slice(1)}, ${cpus()[0]?.model ?? 'an unknown processor'}, one thread`
const sections = SIZES.map((size) => {
  const section = `## ${size.toLocaleString('en')} elements\n\n${table(measure(size))}\n`
  console.log(section)
  return section
})
if (given.write) {
  const file = new URL('../../docs/activations.md', import.meta.url)
  const text = `# What activations cost

Nanoseconds per element, the fastest of ${ROUNDS} short rounds, interleaved, of one run: ${machine}. Written by \`npm run activations -w
benchmarks -- --write\`.

*Forward* is the call on a tensor. *And backward* is \`t.vjp\`: the call on a tape and its gradient, eagerly and as a compiled
program. *\`Math\`* is a loop in plain JavaScript over a Float32Array, forward only; there is no \`Math.erf\`. Inputs are uniform
between -4 and 4 (from 0 for log1p).

${sections.join('\n')}`
  writeFileSync(file, text)
  console.log(`written: ${fileURLToPath(file)}`)
}
