/**
 * Question: what does `fit` cost a step, beside the compiled step alone?
 *
 *     npm run build && npm run fit-overhead -w benchmarks
 *     npm run fit-overhead -w benchmarks -- --cpu          the processor's time, on a machine that is busy with other things
 *
 * The step is that of W3 (2-16-16-1, tanh, MSE, SGD, batch 32), the smallest that is worth anybody's while. Alone it is a program with
 * donated parameters whose loss is read at each step: once with batches that are tensors beforehand, once with plain arrays, which
 * `fit` has to take too, for they come from a data set. Each run of `fit` goes on through all rounds at its default pace; between
 * its own rounds it is paused. All are timed in interleaved rounds of one process; figures are medians, in microseconds a step. Exits
 * with 1 where `fit` with one subscriber to the loss adds 5 us or more to the step alone.
 */
import { cpus } from 'node:os'
import * as t from '@tapeflow/autodiff'
import { linear, mse, sequential, tanh } from '@tapeflow/nn'
import { sgd } from '@tapeflow/optim'
import { fit, losses } from '@tapeflow/train'
import { Subject, throttleTime } from 'rxjs'
import { interleave } from './interleave.js'

/**
 * @import { FitOptions, TrainCommand, TrainEvent } from '@tapeflow/train'
 * @import { Observable, Subscription } from 'rxjs'
 * @import { Case } from './interleave.js'
 */

const ROUNDS = 15
const STEPS = 4_000
const WARM_STEPS = 60_000
const ALLOWED = 5

/** In milliseconds. */
const now = process.argv.includes('--cpu')
  ? () => {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1000
    }
  : () => performance.now()
const model = sequential(linear(2, 16), tanh(), linear(16, 16), tanh(), linear(16, 1))
const loss = mse()
const optimizer = sgd({ learningRate: 0.01 })
const batches = Array.from({ length: 10 }, (_, i) => ({
  x: { shape: [32, 2], values: t.uniformValues(t.key(2 * i), 64, -1, 1) },
  y: { shape: [32, 1], values: t.uniformValues(t.key(2 * i + 1), 32, -1, 1) },
}))
// What was read last, where no compiler can leave it out.
const read = new Float64Array(1)

/**
 * The compiled step and nothing else.
 *
 * @template B
 * @param {readonly B[]} given
 * @param {(batch: B) => { x: t.Tensor, y: t.Tensor }} tensors
 * @returns {Promise<Case['measure']>}
 */
async function alone(given, tensors) {
  let carry = t.scope(() => {
    const { params, state } = model.init(t.key(0), [2])
    return { params, state, slots: optimizer.init(params) }
  })
  const step = t.compile(
    (
      /** @type {typeof carry} */ { params, state, slots },
      /** @type {B} */ batch,
      /** @type {any} */ hyper,
    ) => {
      const { x, y } = tensors(batch)
      const { value, gradients, aux } = t.valueAndGrad((/** @type {typeof params} */ p) => {
        const made = model.apply(p, state, x, { training: true, path: '' })
        return { value: loss(made.y, y), aux: made.state }
      })(params)
      const next = optimizer.update(gradients, slots, params, hyper)
      return { carry: { params: next.params, state: aux, slots: next.slots }, loss: value }
    },
    { donate: [0], reuse: true },
  )
  let taken = 0
  const steps = (/** @type {number} */ count) => {
    for (let i = 0; i < count; i++) {
      const made = step(carry, /** @type {B} */ (given[taken % given.length]), optimizer.hyper(taken))
      taken++
      carry = made.carry
      read[0] = made.loss.item()
    }
  }
  steps(WARM_STEPS)
  return async () => {
    const begun = now()
    steps(STEPS)
    return ((now() - begun) * 1000) / STEPS
  }
}

/**
 * A run, which is paused between its rounds.
 *
 * @param {Partial<FitOptions>} more
 * @param {(run$: Observable<TrainEvent>, passed: (step: number) => void) => Subscription} listen calls `passed` with each step's number
 * @returns {Promise<Case['measure']>}
 */
async function run(more, listen) {
  /** @type {Subject<TrainCommand>} */
  const commands = new Subject()
  let last = WARM_STEPS
  /** @type {() => void} */
  let rest = () => {}
  let taken = 0
  const again = {
    next: () => ({
      done: /** @type {const} */ (false),
      value: /** @type {typeof batches[number]} */ (batches[taken++ % batches.length]),
    }),
  }
  const run$ = fit(model, {
    data: { iterate: () => again },
    loss,
    optimizer,
    steps: Number.MAX_SAFE_INTEGER,
    commands,
    ...more,
  })
  const resting = () =>
    new Promise((resolve) => {
      rest = () => resolve(undefined)
    })
  const warm = resting()
  listen(run$, (step) => {
    if (step < last) return
    commands.next({ type: 'pause' })
    rest()
  })
  await warm
  return async () => {
    last += STEPS
    const rested = resting()
    const begun = now()
    commands.next({ type: 'resume' })
    await rested
    return ((now() - begun) * 1000) / STEPS
  }
}

/** @param {(step: number) => void} passed */
const counting = (passed) => (/** @type {TrainEvent} */ event) => {
  if (event.type === 'step') passed(event.step)
}
const throttled = () => {
  /** @type {Subject<TrainEvent>} */
  const events = new Subject()
  events.pipe(losses(), throttleTime(100)).subscribe((record) => {
    read[0] = record.loss
  })
  return events
}
/** @type {Record<string, () => Promise<Case['measure']>>} */
const cases = {
  'the step alone, given tensors': () =>
    alone(
      batches.map(({ x, y }) => ({ x: t.tensor(x.values, x.shape), y: t.tensor(y.values, y.shape) })),
      (batch) => batch,
    ),
  'the step alone, given arrays': () => alone(batches, (batch) => /** @type {any} */ (batch)),
  'fit, a subscriber that does nothing': () => run({}, (run$, passed) => run$.subscribe(counting(passed))),
  'fit, one subscriber to losses()': () =>
    run({}, (run$, passed) =>
      run$.pipe(losses()).subscribe((record) => {
        read[0] = record.loss
        passed(record.step)
      }),
    ),
  'fit, ten monitors losses().pipe(throttleTime(100))': () =>
    run({ monitors: Array.from({ length: 10 }, throttled) }, (run$, passed) =>
      run$.subscribe(counting(passed)),
    ),
  'fit, gradients and gradientNorm watched, unread': () =>
    run({ watch: ['gradients', 'gradientNorm'] }, (run$, passed) => run$.subscribe(counting(passed))),
}
/** @type {Case[]} */
const prepared = []
for (const [name, prepare] of Object.entries(cases)) prepared.push({ name, measure: await prepare() })
const figures = await interleave(prepared, ROUNDS)
const of = (/** @type {string} */ name) => figures[name]?.value ?? Number.NaN
const bare = of('the step alone, given tensors')
console.log(
  `${cpus()[0]?.model}, Node ${process.versions.node}: microseconds a step, more than the step alone, ratio`,
)
for (const { name } of prepared) {
  const figure = of(name)
  console.log(
    `${name.padEnd(52)} ${figure.toFixed(2).padStart(6)} ${(figure - bare).toFixed(2).padStart(6)} ${(figure / bare).toFixed(2).padStart(6)}`,
  )
}
// Runs that are paused hold nothing that keeps the process.
process.exitCode = of('fit, one subscriber to losses()') - bare < ALLOWED ? 0 : 1
