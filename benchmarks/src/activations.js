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
import { plainLoops } from './plain-activations.js'
import { uniformFrom } from './workloads.js'

/** @typedef {{ name: string, figures: (number | null)[] }} Row forward, forward and backward, the same compiled, plain JavaScript */

const SIZES = [10_000, 1_000_000]
const ROUNDS = 31
const ROUND_SECONDS = 0.001
const WARM_CALLS = 100
const WARM_SECONDS = 0.1

/** @type {readonly (readonly [name: string, f: (x: t.Tensor) => t.Tensor])[]} */
const activations = [
  ['relu', t.relu],
  ['leakyRelu', (x) => t.leakyRelu(x)],
  ['relu6', t.relu6],
  ['hardTanh', t.hardTanh],
  ['hardSigmoid', t.hardSigmoid],
  ['step', t.step],
  ['softsign', t.softsign],
  ['tanh', t.tanh],
  ['sigmoid', t.sigmoid],
  ['elu', (x) => t.elu(x)],
  ['selu', t.selu],
  ['softplus', t.softplus],
  ['silu', t.silu],
  ['mish', t.mish],
  ['gelu', (x) => t.gelu(x)],
  ["gelu, 'tanh'", (x) => t.gelu(x, { approximate: 'tanh' })],
  ['exp', t.exp],
  ['expm1', t.expm1],
  ['log1p, above 0', t.log1p],
  ['erf', t.erf],
]

/**
 * @param {string} name
 * @param {(x: t.Tensor) => t.Tensor} f
 * @param {number} size
 * @returns {(((times: number) => void) | null)[]} each does its work so often: forward, forward and backward, compiled, plain
 */
function casesOf(name, f, size) {
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
  const plain = plainLoops[name]
  const output = new Float32Array(size)
  const inPlain = (/** @type {number} */ times) => {
    for (let i = 0; i < times; i++) plain?.(values, output)
  }
  return [forward, run(both), run(compiled), plain === undefined ? null : inPlain]
}

/**
 * @param {number} size
 * @returns {Row[]} nanoseconds an element
 */
function measure(size) {
  const rows = activations.map(([name, f]) => ({ name, cases: casesOf(name, f, size) }))
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
    figures: cases.map((run) => (run === null ? null : Math.min(...(seen.get(run) ?? [])))),
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

Nanoseconds per element, the fastest of ${ROUNDS} short rounds, interleaved, of one run:
${machine}. Written by \`npm run activations -w benchmarks -- --write\`.

*Forward* is the call on a tensor. *And backward* is \`t.vjp\`: the call on a tape and its gradient, eagerly and as a compiled
program. *\`Math\`* is a loop in plain JavaScript over a Float32Array, forward only; there is no \`Math.erf\`. Inputs are uniform
between -4 and 4, for log1p between 0 and 4.

${sections.join('\n')}`
  writeFileSync(file, text)
  console.log(`written: ${fileURLToPath(file)}`)
}
