/**
 * Question: how much of the memory's speed does each optimizer's compiled update reach, beside a plain copy and Adam's?
 *
 *     npm run build && npm run optimizers -w benchmarks                  all
 *     npm run build && npm run optimizers -w benchmarks -- adam sgd      some; adam is always there
 *
 * The parameters are those of an MLP 784-256-128-10: 235,146 in six tensors. An update must read parameters, gradients and slots once,
 * and write parameters and slots once: these bytes a second are the figure, whatever more an update touches. The copy moves as many
 * bytes as Adam must. All are timed in interleaved rounds of one run; figures are medians. Exits with 1 where one is below half of Adam's.
 */
import { cpus } from 'node:os'
import * as t from '@tapeflow/autodiff'
import * as o from '@tapeflow/optim'
import { interleave } from './interleave.js'

const ROUNDS = 15
const ROUND_SECONDS = 0.03
const WARM_SECONDS = 0.5
const SIZES = [784, 256, 128, 10]
const learningRate = 1e-3

/** @type {Record<string, () => o.Optimizer<string>>} */
const optimizers = {
  adam: () => o.adam({ learningRate }),
  sgd: () => o.sgd({ learningRate }),
  momentum: () => o.momentum({ learningRate }),
  nesterov: () => o.nesterov({ learningRate }),
  adagrad: () => o.adagrad({ learningRate }),
  adadelta: () => o.adadelta({ learningRate }),
  rmsprop: () => o.rmsprop({ learningRate }),
  'rmsprop with momentum, centered': () => o.rmsprop({ learningRate, momentum: 0.9, centered: true }),
  adamw: () => o.adamw({ learningRate }),
  amsgrad: () => o.amsgrad({ learningRate }),
  adamax: () => o.adamax({ learningRate }),
  nadam: () => o.nadam({ learningRate }),
  radam: () => o.radam({ learningRate }),
  lamb: () => o.lamb({ learningRate, weightDecay: 0.01 }),
  lion: () => o.lion({ learningRate, weightDecay: 0.01 }),
  'lookahead(adam)': () => o.lookahead(o.adam({ learningRate })),
  'sam(adam)': () => o.sam(o.adam({ learningRate })),
  'chain(scaleByAdam, descend)': () => o.chain(o.scaleByAdam(), o.descend({ learningRate })),
  'chain(clipByGlobalNorm, scaleByAdam, descend)': () =>
    o.chain(o.clipByGlobalNorm(1), o.scaleByAdam(), o.descend({ learningRate })),
}

/** @param {number} seed */
const tree = (seed) =>
  SIZES.slice(1).map((out, i) => ({
    weight: t.normal(t.key(2 * seed + 100 * i), [/** @type {number} */ (SIZES[i]), out]),
    bias: t.normal(t.key(2 * seed + 100 * i + 1), [out]),
  }))
const parameters = t.leaves(tree(0)).reduce((sum, x) => sum + x.size, 0)

/** @param {o.Optimizer<string>} optimizer */
function update(optimizer) {
  const gradients = tree(1)
  const params = tree(2)
  let carry = { params, slots: optimizer.init(params) }
  const step = t.compile(
    (
      /** @type {typeof carry} */ { params: before, slots },
      /** @type {typeof gradients} */ along,
      /** @type {o.Hyper} */ hyper,
    ) => {
      // What looks around is given the same gradients again: its own work is timed, not that of a model.
      const evaluate = () => ({ value: t.tensor(0), gradients: /** @type {any} */ (along) })
      return optimizer.update(along, slots, before, hyper, evaluate)
    },
    { donate: [0], reuse: true },
  )
  let taken = 0
  return () => {
    carry = step(carry, gradients, optimizer.hyper(taken++))
  }
}

/** @param {() => void} run */
function measuring(run) {
  const start = performance.now()
  let calls = 0
  for (; performance.now() - start < WARM_SECONDS * 1000; calls++) run()
  const times = Math.max(1, Math.round((calls * ROUND_SECONDS * 1000) / (performance.now() - start)))
  return async () => {
    const begun = performance.now()
    for (let i = 0; i < times; i++) run()
    return ((performance.now() - begun) * 1000) / times
  }
}

const wanted = process.argv.slice(2)
const names = Object.keys(optimizers).filter(
  (name) => wanted.length === 0 || name === 'adam' || wanted.includes(name),
)
/** @type {Map<string, number>} */
const bytes = new Map()
const cases = names.map((name) => {
  const optimizer = /** @type {() => o.Optimizer<string>} */ (optimizers[name])()
  const slots = Object.keys(optimizer.init(null)).length
  bytes.set(name, 4 * parameters * (3 + 2 * slots))
  return { name, measure: measuring(update(optimizer)) }
})
const most = bytes.get('adam') ?? 0
const from = new Float32Array(most / 8).fill(1)
const to = new Float32Array(most / 8)
bytes.set('a plain copy', most)
cases.push({ name: 'a plain copy', measure: measuring(() => to.set(from)) })

console.log(
  `${cpus()[0]?.model}, Node ${process.versions.node}, ${parameters} parameters: microseconds, GB/s, share of Adam's`,
)
const figures = await interleave(cases, ROUNDS)
const speed = (/** @type {string} */ name) =>
  (bytes.get(name) ?? 0) / 1000 / (figures[name]?.value ?? Number.NaN)
for (const { name } of cases) {
  const share = speed(name) / speed('adam')
  console.log(
    `${name.padEnd(46)} ${(figures[name]?.value ?? Number.NaN).toFixed(0).padStart(6)} ${speed(name).toFixed(1).padStart(6)} ${share.toFixed(2)}`,
  )
  if (share < 0.5) process.exitCode = 1
}
