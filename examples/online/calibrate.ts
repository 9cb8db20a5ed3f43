import { fromObservable } from '@tapeflow/data'
import { linear, mse } from '@tapeflow/nn'
import { sgd } from '@tapeflow/optim'
import { evaluate, fit, losses, result, type TrainBatch } from '@tapeflow/train'
import { interval, lastValueFrom, map, take, toArray } from 'rxjs'
import { agingSensor, between, parts, type Readings, readings, rows } from './sensor.ts'

/** Mean squared errors in each tenth of the readings, in their order. */
export interface Errors {
  /** Of the model that was trained on the first tenth. */
  readonly trainedOnce: readonly number[]
  /** Of the model that learns from each batch after it was asked for it. */
  readonly goingOn: readonly number[]
  /** How many batches came too fast to be learned from. */
  readonly dropped: number
}

const model = linear(2, 1)
const loss = mse()
const part = readings / parts
const borders = Array.from({ length: parts }, (_, i) => i * part)

/** Calibrates a sensor that ages: once, and for ever. */
export async function calibrate(seed: number): Promise<Errors> {
  const sensor = agingSensor(seed)
  const trainedOnce = await once(sensor)
  return { trainedOnce, ...(await live(sensor)) }
}

async function once(sensor: Readings): Promise<number[]> {
  const data = between(sensor, 0, part)
  const weights = await result(fit(model, { data, loss, optimizer: sgd({ learningRate: 0.1 }), epochs: 20 }))
  const errors: number[] = []
  for (const from of borders) {
    const found = await evaluate(model, weights, { data: between(sensor, from, from + part), loss })
    errors.push(found.loss)
  }
  return errors
}

async function live(sensor: Readings): Promise<{ goingOn: number[]; dropped: number }> {
  // A batch every millisecond. Were training slower than that, the oldest would be left out: the newest tell most.
  const batches = between(sensor, 0, readings).toArray() as TrainBatch[]
  const arriving$ = interval(1).pipe(
    take(batches.length),
    map((i) => batches[i]!),
  )
  const data = fromObservable(arriving$, { overflow: 'dropOldest' })
  const run$ = fit(model, { data, loss, optimizer: sgd({ learningRate: 0.1 }), epochs: 1 })
  // The loss of a step is that of weights which have not yet seen its batch: an honest error.
  const seen = await lastValueFrom(
    run$.pipe(
      losses(),
      map((step) => step.loss),
      toArray(),
    ),
  )
  const goingOn = borders.map((from) => mean(seen.slice(from / rows, (from + part) / rows)))
  return { goingOn, dropped: data.dropped }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
