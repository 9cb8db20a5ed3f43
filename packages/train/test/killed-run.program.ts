// Run by killed-run.node.test.ts in a process of its own: trains with a store in the directory that it is told, from what is there,
// and prints a line for each event, at once. Whoever reads may kill it at any of them, or in between.
import { createHash } from 'node:crypto'
import { writeSync } from 'node:fs'
import * as t from '@tapeflow/autodiff'
import { batchNorm, dropout, linear, meanAbsoluteError, mse, sequential, tanh } from '@tapeflow/nn'
import { adam, cosineDecay } from '@tapeflow/optim'
import {
  checkpointEvery,
  earlyStopping,
  fit,
  keepBest,
  lrWarmup,
  reduceLROnPlateau,
  stochasticWeightAveraging,
  type TrainEvent,
} from '../src/index.ts'
import { directoryStore } from '../src/node.ts'
import { surface, timeless } from './small.ts'
import { telling } from './told.ts'

const [directory, pace] = process.argv.slice(2)

const print = (kind: string, value: unknown): void => {
  writeSync(1, `${kind} ${JSON.stringify(value)}\n`)
}

// What commands and checkpoints answer.
let last: TrainEvent['type'] = 'start'

/** A name that no other event of a run has, and what it tells, to the bit. */
function named(event: TrainEvent): readonly [name: string, value: unknown] {
  const place = `${event.type} of step ${event.step}`
  if (event.type === 'command') {
    const { command, source } = event
    const from = command.type === 'restore' && typeof command.from === 'object' ? command.from.params : null
    const what = from === null ? command : digest(from)
    return [`${place}, ${command.type} of ${source} after ${last}`, what]
  }
  if (event.type === 'checkpoint') return [`${place} after ${last}`, digest(timeless(event.snapshot))]
  last = event.type
  return [place, event.type === 'end' ? digest(timeless(event.result)) : telling(event, false)]
}

/** A digest of all numbers, names and texts in something, to the bit. */
function digest(value: unknown): string {
  const text = JSON.stringify(value, (_, inner: unknown) => {
    if (ArrayBuffer.isView(inner))
      return [...new Uint8Array(inner.buffer, inner.byteOffset, inner.byteLength)]
    if (typeof inner === 'number') return Object.is(inner, -0) ? '-0' : String(inner)
    if (inner === undefined) return 'undefined'
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
  return createHash('sha256').update(text).digest('hex')
}

const store = directoryStore(directory!, { keep: 3, best: { monitor: 'validation.loss' } })
fit(sequential(linear(2, 12), batchNorm(), tanh(), dropout(0.2), linear(12, 1)), {
  data: surface(90)
    .shuffle({ key: t.key(4) })
    .batch(8),
  validation: surface(30, 2).batch(10),
  validateEvery: { epochs: 0.5 },
  loss: mse(),
  optimizer: adam({ learningRate: cosineDecay({ from: 0.05, to: 0.001, steps: 300 }) }),
  metrics: [meanAbsoluteError()],
  epochs: 30,
  seed: 7,
  callbacks: [
    checkpointEvery({ steps: 2 }),
    lrWarmup({ steps: 20 }),
    reduceLROnPlateau({ patience: 3, factor: 0.5, cooldown: 2 }),
    earlyStopping({ patience: 12, minDelta: 0.001 }),
    keepBest({ monitor: 'epoch.loss' }),
    stochasticWeightAveraging({ startFrom: 3 }),
    checkpointEvery({ epochs: 1 }),
  ],
  store,
  from: store,
  pace: pace === 'slow' ? { budget: 0, rest: 1 } : {},
  log: (message, error) => print('log', `${message} | ${String(error)}`),
}).subscribe({
  next: (event) => print('event', named(event)),
  complete: () => print('complete', null),
})
