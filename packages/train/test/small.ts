import * as t from '@tapeflow/autodiff'
import { type Batch, type Dataset, dataset } from '@tapeflow/data'
import {
  type Layer,
  type LinearParams,
  linear,
  mse,
  type Sequential,
  type SizePreserving,
  sequential,
  tanh,
  zeros,
} from '@tapeflow/nn'
import { sgd } from '@tapeflow/optim'
import { concatMap, type Observable } from 'rxjs'
import { TestScheduler } from 'rxjs/testing'
import { expect } from 'vitest'
import {
  type Callback,
  type FitOptions,
  fit,
  type Model,
  type RunSnapshot,
  type TrainCommand,
  type TrainEvent,
} from '../src/index.ts'

/** Rows of any shape. */
export interface Sample {
  readonly x: Batch
  readonly y: Batch
}

type Linear<In extends number, Out extends number> = Layer<LinearParams, null, In, Out>
type Tanh = SizePreserving<null, null>

/** The network of the memory tests: 2-16-16-1, tanh. */
export const surfaceModel: Sequential<[Linear<2, 16>, Tanh, Linear<16, 16>, Tanh, Linear<16, 1>]> =
  sequential(linear(2, 16), tanh(), linear(16, 16), tanh(), linear(16, 1))

/** Points of a surface over the plane. */
export function surface(rows: number, seed = 1): Dataset<Sample> {
  const x = t.uniformValues(t.key(seed), 2 * rows, -1, 1)
  const y = Float32Array.from({ length: rows }, (_, i) => Math.sin(3 * x[2 * i]!) * x[2 * i + 1]!)
  return dataset({ x: { shape: [rows, 2], values: x }, y: { shape: [rows, 1], values: y } })
}

/** y = w x + b from w = b = 0, whose losses and gradients can be had by hand. */
export const line: Model<LinearParams, null> = linear(1, 1, { weight: zeros })

/** Points (x, y) of the plane. */
export function points(...pairs: readonly (readonly [x: number, y: number])[]): Dataset<Sample> {
  const column = (k: 0 | 1): Batch => ({
    shape: [pairs.length, 1],
    values: Float32Array.from(pairs, (pair) => pair[k]),
  })
  return dataset({ x: column(0), y: column(1) })
}

/** Options that train `line` on two batches of one point. */
export const twoPoints: Pick<FitOptions, 'data' | 'loss' | 'optimizer'> = {
  data: points([1, 2], [2, 4]).batch(1),
  loss: mse(),
  optimizer: sgd({ learningRate: 0.1 }),
}

/** The two ways to run: as programs, and as it is written. */
export const modes: readonly (readonly [name: string, mode: { readonly compile: boolean }])[] = [
  ['compiled', { compile: true }],
  ['eager', { compile: false }],
]

/** Everything that a run emits. */
export function eventsOf<P, S>(run$: Observable<TrainEvent<P, S>>): Promise<TrainEvent<P, S>[]> {
  const events: TrainEvent<P, S>[] = []
  return new Promise((resolve, reject) => {
    run$.subscribe({ next: (event) => events.push(event), error: reject, complete: () => resolve(events) })
  })
}

/** Runs `test` in virtual time. */
export function virtually(
  test: (scheduler: TestScheduler, helpers: Parameters<Parameters<TestScheduler['run']>[0]>[0]) => void,
): void {
  const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected))
  scheduler.run((helpers) => test(scheduler, helpers))
}

/** One step of a run in each frame of virtual time. */
export function framewise(scheduler: TestScheduler): Pick<FitOptions, 'scheduler' | 'pace'> {
  return { scheduler, pace: { budget: 0, rest: 1 } }
}

/** Waits for promises and for the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5))
}

/** What `scripted` trains: its one weight goes up by the rate at each step. */
export type Climbing = { readonly weight: t.Tensor }

const climbing: Model<Climbing, null> = {
  init: () => ({ params: { weight: t.zeros([1, 1]) }, state: null, outputShape: [1] }),
  apply: ({ weight }, state) => ({ y: weight, state }),
}

/** A run of one step an epoch whose loss in epoch i is `values[i]`, whatever the weights. */
export function scripted(
  values: readonly number[],
  more: Partial<FitOptions> = {},
  learningRate: number | ((step: number) => number) = 1,
): Observable<TrainEvent<Climbing, null>> {
  return fit(climbing, {
    data: { length: 1, iterate: (epoch = 0) => points([0, values[epoch]!]).batch(1).iterate(0) },
    // The gradient is -1.
    loss: (weight, value) => t.sum(t.add(value, t.sub(t.stopGradient(weight), weight))),
    optimizer: sgd({ learningRate }),
    epochs: values.length,
    ...more,
  })
}

/** Takes a checkpoint at the end of epoch 0, and goes back to it once, at the end of epoch `last`. */
export function goingBack(last = 2): Callback {
  return {
    name: 'goingBack',
    run: (events$) => {
      let back = false
      return events$.pipe(
        concatMap((event): TrainCommand[] => {
          if (event.type !== 'epoch') return []
          if (event.epoch === 0) return [{ type: 'checkpoint' }]
          if (event.epoch !== last || back) return []
          back = true
          return [{ type: 'restore', from: 'latest' }]
        }),
      )
    },
  }
}

/** A snapshot without what differs from run to run: how long it took. */
export function timeless<P, S>(snapshot: RunSnapshot<P, S>): RunSnapshot<P, S> {
  const history = snapshot.history.map((record) => ({ ...record, seconds: 0 }))
  return { ...snapshot, seconds: 0, history }
}
