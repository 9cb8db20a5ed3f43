/**
 * Question: what does each activation cost per element, forward and backward?
 *
 *     npm run build && npm run activations -w benchmarks
 *
 * Compiled programs on 65,536 numbers in [-4, 4), softmax and its logarithm on rows of 64: they lie in the cache, so that arithmetic is measured and not memory.
 * Forward returns the value; the second program returns the gradient for a given cotangent beside it, and backward is what it takes longer.
 * Medians of interleaved rounds in one process, as a table in Markdown. `npm run bench:peers` has it too.
 *
 * @import { Computation } from './peer.ts'
 */
import { parseArgs } from 'node:util'
import * as t from '@tapeflow/autodiff'
import { interleave } from './interleave.js'
import { time, warmUp } from './timing.js'
import { uniformFrom } from './workloads.js'

/** @typedef {(x: t.Tensor) => t.Tensor} Activation */

const SIZE = 65_536
const NAMES =
  'relu relu6 leakyRelu elu selu gelu geluTanh silu mish softplus softsign sigmoid hardSigmoid tanh hardTanh softmax logSoftmax'.split(
    ' ',
  )

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    seconds: { type: 'string', default: '0.1' },
    clock: { type: 'string', default: 'wall' },
  },
})
const clock = values.clock === 'cpu' ? 'cpu' : 'wall'
const uniform = uniformFrom(65)
const draw = () =>
  t.tensor(
    Float32Array.from({ length: SIZE }, () => 8 * uniform() - 4),
    [SIZE / 64, 64],
  )
const x = draw()
const cotangent = draw()

const missing = NAMES.filter((name) => typeof Reflect.get(t, name) !== 'function')
const programs = NAMES.filter((name) => !missing.includes(name)).flatMap((name) => {
  const f = /** @type {Activation} */ (Reflect.get(t, name))
  const forward = t.compile((/** @type {t.Tensor} */ given) => f(given), { reuse: true })
  const both = t.compile((/** @type {t.Tensor} */ given, /** @type {t.Tensor} */ g) => t.vjp(f, given, g), {
    reuse: true,
  })
  return [
    { name: `${name} forward`, prepared: computation(() => forward(x)) },
    { name: `${name} both`, prepared: computation(() => both(x, cotangent)) },
  ]
})
for (const { prepared } of programs) await warmUp(prepared, { calls: 100, seconds: 0.05, most: 5 })
const seconds = Number(values.seconds)
const cases = programs.map(({ name, prepared }) => ({ name, measure: () => time(prepared, seconds, clock) }))
const figures = await interleave(cases, Number(values.rounds))

const each = (/** @type {string} */ name) => ((figures[name]?.value ?? Number.NaN) * 1000) / SIZE
const lines = NAMES.filter((name) => !missing.includes(name)).map((name) => {
  const [forward, both] = [each(`${name} forward`), each(`${name} both`)]
  return `| ${name} | ${forward.toFixed(2)} | ${Math.max(0, both - forward).toFixed(2)} | ${both.toFixed(2)} |`
})
console.log(
  ['| ns per element | forward | backward | both |', '| --- | ---: | ---: | ---: |', ...lines].join('\n'),
)
if (missing.length > 0) console.log(`\n@tapeflow/autodiff exports no ${missing.join(', ')}.`)

/**
 * @param {() => unknown} call
 * @returns {Computation}
 */
function computation(call) {
  return { kind: 'computation', call, read: () => new Float32Array(0), dispose: () => {} }
}
