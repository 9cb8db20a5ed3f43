import * as t from '@tapeflow/autodiff'
import { fromObservable } from '@tapeflow/data'
import { linear, mse, zeros } from '@tapeflow/nn'
import { sgd } from '@tapeflow/optim'
import { interval, map, Subject, take } from 'rxjs'
import { expect, test } from 'vitest'
import { fit, type TrainBatch } from '../src/index.ts'

const rounds = 400

/** What is to be learned at a time: weights that go round in a circle. */
const target = (time: number): readonly [number, number] => {
  const angle = (2 * Math.PI * time) / rounds
  return [Math.cos(angle), Math.sin(angle)]
}

/** Samples of that time. */
function samples(time: number, rows = 16): TrainBatch {
  const [a, b] = target(time)
  const x = t.uniformValues(t.foldIn(t.key(3), time), 2 * rows, -1, 1)
  const y = Float32Array.from({ length: rows }, (_, i) => a * x[2 * i]! + b * x[2 * i + 1]!)
  return { x: { shape: [rows, 2], values: x }, y: { shape: [rows, 1], values: y } }
}

const model = linear(2, 1, { weight: zeros })
const options = { loss: mse(), optimizer: sgd({ learningRate: 0.5 }) }

test('regression follows a target that drifts, from a stream that is never read twice', async () => {
  const live = fromObservable(
    interval(1).pipe(
      take(rounds),
      map((time) => samples(time)),
    ),
    { overflow: 'dropOldest' },
  )
  const learned: number[][] = []
  await new Promise<void>((resolve, reject) => {
    fit(model, { ...options, data: live, epochs: 1 }).subscribe({
      next: (event) => {
        if (event.type === 'step') learned.push([...event.weights.tree.weight.toFloat32Array()])
      },
      error: reject,
      complete: resolve,
    })
  })
  expect(live.dropped).toBe(0)
  expect(learned).toHaveLength(rounds)
  const distance = ([a = 0, b = 0]: number[], time: number): number => {
    const [c, d] = target(time)
    return Math.hypot(a - c, b - d)
  }
  // The target moves by 0.016 in a step, which brings the weights nearer by a third: they lag by about 0.05.
  const lags = learned.map(distance).slice(30)
  expect(Math.max(...lags)).toBeLessThan(0.15)
  // A model that learned no more would be far off half a round later.
  expect(distance(learned[100]!, 300)).toBeGreaterThan(1.5)
})

test('a source a hundred times as fast as training is heard in part: what is recent, and no more than fits', async () => {
  const [steps, buffer, each] = [150, 16, 100]
  const source = new Subject<TrainBatch>()
  const live = fromObservable(source, { buffer, overflow: 'dropOldest' })
  const pushed = new Map<TrainBatch, number>()
  const trained: number[] = []
  const late: number[] = []
  const push = (): void => {
    for (let i = 0; i < each; i++) {
      const batch = samples(pushed.size, 1)
      pushed.set(batch, pushed.size)
      source.next(batch)
    }
  }
  const data = live.map((batch) => {
    const number = pushed.get(batch)!
    trained.push(number)
    late.push(pushed.size - number)
    return batch
  })
  await new Promise<void>((resolve, reject) => {
    fit(model, { ...options, data, steps }).subscribe({
      next: ({ type }) => {
        if (type === 'step') push()
      },
      error: reject,
      complete: resolve,
    })
    const begin = setInterval(() => {
      if (!source.observed) return
      clearInterval(begin)
      push()
    }, 1)
  })
  expect(trained).toHaveLength(steps)
  expect(trained).toEqual([...trained].sort((a, b) => a - b))
  expect(pushed.size).toBe((steps + 1) * each)
  // Whatever was not left out and not trained on waits: that is bounded.
  const waiting = pushed.size - live.dropped - trained.length - each
  expect(waiting).toBeLessThanOrEqual(buffer)
  // The first was pulled before there was any other, and the ones after it are among the latest.
  expect(Math.max(...late.slice(1))).toBeLessThanOrEqual(buffer)
})
