/**
 * Question: does the time of a training step grow linearly with its work?
 *
 *     npm run build && npm run growth -w benchmarks
 *
 * One compiled step (forward, backward, Adam) of an MLP of equal layers, tanh, mean squared error, batch 32: depth from 2 to 64 at width 64, and
 * width from 16 to 2,048 at depth 3. Work is counted in floating-point operations of the matrix products: 6 b n² a layer, less 2 b n² for the
 * gradient of the first layer's input, which nobody needs; Adam's dozen operations per parameter, n² + n a layer, are added.
 *
 * Linear means: above 1 MFLOP no step takes more than twice as long per operation as another. Below, what a kernel's call costs shows. Draws docs/growth.svg
 * on logarithmic axes, where what is linear is a straight line of slope 1, and exits with 1 when the aim is missed.
 */
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { compile, isTensor, memory, visitLeaves } from '@tapeflow/autodiff'
import { BATCH, deepMlp } from './deep-mlp.js'
import { median } from './interleave.js'
import { plotLogarithmic } from './log-plot.js'

/** @typedef {{ layers: number, width: number, flops: number, microseconds: number }} Sample */

const DEPTHS = [2, 4, 8, 16, 32, 64].map((layers) => ({ layers, width: 64 }))
const WIDTHS = [16, 32, 64, 128, 256, 512, 1024, 2048].map((width) => ({ layers: 3, width }))
const MEGAFLOP = 1e6
const MOST = 2

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '9' }, clock: { type: 'string', default: 'wall' } },
})
const rounds = Number(values.rounds)
const cases = [...DEPTHS, ...WIDTHS].map(({ layers, width }) => ({ layers, width, ...timer(layers, width) }))
for (const { sample } of cases) sample(1)
/** @type {number[][]} */
const seen = cases.map(() => [])
// Interleaved, so that a machine that slows down slows all of them alike.
for (let i = 0; i < rounds; i++) {
  for (const [at, { sample }] of cases.entries()) seen[at]?.push(sample(0.1))
}
for (const { dispose } of cases) dispose()
if (memory().tensors !== 0) throw new Error(`growth leaks, got ${memory().tensors} tensors at the end`)
const samples = cases.map(({ layers, width }, i) => ({
  layers,
  width,
  flops: flopsOf(layers, width),
  microseconds: median(seen[i] ?? []),
}))
report(samples.slice(0, DEPTHS.length), samples.slice(DEPTHS.length))

/**
 * @param {number} layers
 * @param {number} width
 */
function timer(layers, width) {
  const mlp = deepMlp(layers, width)
  const step = compile(mlp.step, { donate: [0], reuse: true })
  let carry = mlp.begin()
  return {
    /**
     * The median step of some seconds, and of three steps at least; by the processor's clock the mean, for machines that are busy with
     * other things.
     *
     * @param {number} seconds
     */
    sample(seconds) {
      /** @type {number[]} */
      const steps = []
      const begun = performance.now()
      const used = process.cpuUsage()
      while (steps.length < 3 || performance.now() - begun < seconds * 1000) {
        const start = performance.now()
        carry = step(carry, mlp.batch, mlp.hyper).carry
        steps.push(1000 * (performance.now() - start))
      }
      const { user, system } = process.cpuUsage(used)
      return values.clock === 'cpu' ? (user + system) / steps.length : median(steps)
    },
    dispose() {
      visitLeaves([carry, mlp.batch], (leaf) => {
        if (isTensor(leaf)) leaf.dispose()
      })
      step.dispose()
    },
  }
}

/**
 * @param {number} layers
 * @param {number} width
 */
function flopsOf(layers, width) {
  const product = 2 * BATCH * width ** 2
  return (3 * layers - 1) * product + 12 * layers * (width ** 2 + width)
}

/**
 * @param {readonly Sample[]} depths
 * @param {readonly Sample[]} widths
 */
function report(depths, widths) {
  for (const { layers, width, flops, microseconds } of [...depths, ...widths]) {
    const rate = `${(flops / microseconds / 1000).toFixed(1)} GFLOP/s`
    console.log(
      `${layers} layers of ${width}\t${(flops / 1e6).toFixed(2)} MFLOP\t${microseconds.toFixed(1)} µs\t${rate}`,
    )
  }
  const file = new URL('../../docs/growth.svg', import.meta.url)
  const points = (/** @type {readonly Sample[]} */ of) =>
    of.map(({ flops, microseconds }) => ({ x: flops / 1e6, y: microseconds / 1000 }))
  writeFileSync(
    file,
    plotLogarithmic({
      title: 'A training step by the work in it',
      subtitle: `MLP, tanh, Adam, batch ${BATCH}, compiled. Node ${process.version.slice(1)}, ${cpus()[0]?.model.trim() ?? 'unknown'}`,
      x: 'MFLOP a step',
      y: 'ms',
      series: [
        { name: '2 to 64 layers of width 64', points: points(depths), colour: '#c2571a' },
        { name: '3 layers of width 16 to 2,048', points: points(widths), colour: '#1f6fb2' },
      ],
    }),
  )
  console.log(`written: ${fileURLToPath(file)}`)
  for (const [name, of] of /** @type {const} */ ([
    ['depth', depths],
    ['width', widths],
  ])) {
    const costs = of
      .filter(({ flops }) => flops > MEGAFLOP)
      .map(({ flops, microseconds }) => microseconds / flops)
    const spread = Math.max(...costs) / Math.min(...costs)
    const holds = spread <= MOST
    console.log(
      `${holds ? 'holds' : 'FAILS'}: above 1 MFLOP the time of an operation differs by ${spread.toFixed(2)} x over ${name}`,
    )
    if (!holds) process.exitCode = 1
  }
}
