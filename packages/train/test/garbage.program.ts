// Run by compiled-memory.node.test.ts in a process of its own, with a young generation so large that nothing is collected within
// a window: trains the 2-16-16-1 network through `fit`, and prints how many bytes of JavaScript heap each step took. The owner reads
// the loss of the event or that of `losses()`; there may be ten of those that watch beside.
import * as t from '@tapeflow/autodiff'
import { linear, mse, sequential, tanh } from '@tapeflow/nn'
import { sgd } from '@tapeflow/optim'
import { filter, ignoreElements, Observable, tap, throttleTime } from 'rxjs'
import {
  type BatchSource,
  type FitOptions,
  fit,
  type LossRecord,
  losses,
  type Monitor,
  type TrainBatch,
  type TrainEvent,
} from '../src/index.ts'

const [warmUp, window, windows] = [Number(process.argv[2]), Number(process.argv[3]), Number(process.argv[4])]
const [owner, watching] = [process.argv[5], process.argv[6]!]
const model = sequential(linear(2, 16), tanh(), linear(16, 16), tanh(), linear(16, 1))
const batch: TrainBatch = {
  x: { shape: [32, 2], values: t.uniformValues(t.key(1), 64, -1, 1) },
  y: { shape: [32, 1], values: t.uniformValues(t.key(2), 32, -1, 1) },
}
// One batch for ever, in one object: what is counted is the step's own.
const again: IteratorResult<TrainBatch, undefined> = { done: false, value: batch }
const data: BatchSource = { iterate: () => ({ next: () => again }) }

const collect = (globalThis as { gc?: () => void }).gc!
const used: number[] = []
// In a closure a number would itself be garbage.
const loss = new Float64Array(1)
let from = 0
let shown = 0
const show = (): void => {
  shown++
}
const ten = <V>(make: () => V): V[] => Array.from({ length: 10 }, make)
// Subjects of rxjs make a closure and an iterator for each value: here events go straight to what is subscribed.
const throttled = (): Monitor => {
  let tell: (event: TrainEvent) => void = () => {}
  const events$ = new Observable<TrainEvent>((subscriber) => {
    tell = (event) => subscriber.next(event)
  })
  events$.pipe(losses(), throttleTime(100)).subscribe(show)
  return (event) => tell(event)
}
const watchers: Readonly<Record<string, Pick<FitOptions, 'monitors' | 'callbacks'>>> = {
  nobody: {},
  monitors: { monitors: ten(() => (event) => event.type === 'step' && show()) },
  'throttled monitors': { monitors: ten(throttled) },
  'throttled callbacks': {
    callbacks: ten(() => ({
      name: 'chart',
      run: (events$) => events$.pipe(losses(), throttleTime(100), tap(show), ignoreElements()),
    })),
  },
}
const run$ = fit(model, {
  data,
  loss: mse(),
  optimizer: sgd({ learningRate: 0.01 }),
  steps: warmUp + window * windows + 1,
  ...watchers[watching],
})
const steps$: Observable<Pick<LossRecord, 'step' | 'loss'>> =
  owner === 'losses' ? run$.pipe(losses()) : run$.pipe(filter((event) => event.type === 'step'))
steps$.subscribe({
  next: (event) => {
    loss[0] = event.loss
    const place = event.step - warmUp
    if (place < 0 || place % window !== 0) return
    if (place > 0) used.push((process.memoryUsage().heapUsed - from) / window)
    collect()
    from = process.memoryUsage().heapUsed
  },
  complete: () => console.log(JSON.stringify({ used, loss: loss[0], shown })),
})
