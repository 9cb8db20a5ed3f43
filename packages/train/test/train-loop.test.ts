import * as t from '@tapeflow/autodiff'
import { batchNorm, dropout, linear, meanSquaredError, mse, relu, sequential } from '@tapeflow/nn'
import { adam, machine } from '@tapeflow/optim'
import { describe, expect, test } from 'vitest'
import {
  fit,
  type LoopOptions,
  type RunSnapshot,
  type StepEvent,
  type TrainBatch,
  trainLoop,
} from '../src/index.ts'
import { eventsOf, line, modes, points, surface, timeless, twoPoints } from './small.ts'

const model = sequential(linear(2, 6), batchNorm(), relu(), dropout(0.2), linear(6, 1))
const data = surface(60)
  .shuffle({ key: t.key(1) })
  .batch(16)
const options = (): LoopOptions => ({
  loss: mse(),
  optimizer: adam({ learningRate: (step) => 0.05 / (1 + step) }),
  metrics: [meanSquaredError()],
  seed: 4,
})

const few = points([1, 2], [2, 4]).batch(1)

/** The batches of several epochs. */
function* batches(epochs: number): Generator<TrainBatch, void> {
  for (let epoch = 0; epoch < epochs; epoch++) yield* data.toArray(epoch) as TrainBatch[]
}

async function* later(epochs: number): AsyncGenerator<TrainBatch, void> {
  for (const batch of batches(epochs)) {
    await Promise.resolve()
    yield batch
  }
}

const told = ({ step, loss, learningRate, rows }: StepEvent): unknown => ({ step, loss, learningRate, rows })

describe.each(modes)('a loop of one’s own, %s', (_, mode) => {
  test('makes the steps of fit, bit for bit, and ends where fit does', async () => {
    const before = t.memory()
    const events = await eventsOf(fit(model, { ...options(), ...mode, data, epochs: 3 }))
    const wanted = events.filter((event) => event.type === 'step')
    const found: unknown[] = []
    const loop = trainLoop(model, batches(3), { ...options(), ...mode })
    let turn = loop.next()
    for (; !turn.done; turn = loop.next()) found.push(told(turn.value))
    expect(found).toEqual(wanted.map(told))
    const end = events.at(-1)!
    if (end.type !== 'end') throw new Error('no end')
    const { params, state, slots, step } = turn.value!
    expect({ params, state, slots, step }).toEqual({
      params: end.result.params,
      state: end.result.state,
      slots: end.result.slots,
      step: end.result.step,
    })
    expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
  })

  test('over batches that come later is the same', async () => {
    const [now, then]: [unknown[], unknown[]] = [[], []]
    for (const step of trainLoop(model, batches(2), { ...options(), ...mode })) now.push(told(step))
    for await (const step of trainLoop(model, later(2), { ...options(), ...mode })) then.push(told(step))
    expect(then).toEqual(now)
  })

  test('goes on from a snapshot, and fit goes on from its own', async () => {
    const all: unknown[] = []
    for (const step of trainLoop(model, batches(2), { ...options(), ...mode })) all.push(told(step))
    let middle: RunSnapshot | undefined
    for (const step of trainLoop(model, batches(1), { ...options(), ...mode })) middle = step.snapshot()
    const rest: unknown[] = []
    const second = [...batches(2)].slice(4)
    for (const step of trainLoop(model, second, { ...options(), ...mode, from: middle! }))
      rest.push(told(step))
    expect([...all.slice(0, 4), ...rest]).toEqual(all)
    const loop = trainLoop(model, second.slice(0, 1), { ...options(), ...mode, from: middle! })
    const made = loop.next().value as StepEvent
    expect(made.snapshot().programs).toEqual(middle!.programs)
    loop.return(null)
    const events = await eventsOf(fit(model, { ...options(), ...mode, data, epochs: 2, from: middle! }))
    expect(events.filter((event) => event.type === 'step').map(told)).toEqual(rest)
  })

  test('leaves nothing where it is left: by break, by an error, before it begins; and what it showed is gone', async () => {
    const before = t.memory()
    const kept: StepEvent[] = []
    for (const step of trainLoop(model, batches(3), { ...options(), ...mode, watch: ['gradients'] })) {
      kept.push(step)
      expect(step.gradients.paths).toEqual(step.weights.paths)
      if (step.step === 2) break
    }
    for (const step of kept) expect(() => step.weights.snapshot()).toThrow('had passed')
    const failing = (): void => {
      for (const step of trainLoop(model, batches(3), { ...options(), ...mode }))
        if (step.step === 1) throw new Error('enough')
    }
    expect(failing).toThrow('enough')
    const wrong = [
      ...batches(1),
      {
        x: { shape: [2, 3], values: new Float32Array(6) },
        y: { shape: [2, 1], values: new Float32Array(2) },
      },
    ]
    expect(() => [...trainLoop(model, wrong, { ...options(), ...mode })]).toThrow(
      'fit: step 4 of epoch 0 failed: ',
    )
    trainLoop(model, batches(3), { ...options(), ...mode })
    expect([...trainLoop(model, [], { ...options(), ...mode })]).toEqual([])
    expect(trainLoop(model, [], { ...options(), ...mode }).next()).toEqual({ done: true, value: null })
    expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
  })

  test('is steered by a machine', () => {
    const control = machine()
    const rates: number[] = []
    for (const step of trainLoop(line, [...(few.repeat(3).take(5).toArray() as TrainBatch[])], {
      ...mode,
      loss: twoPoints.loss,
      optimizer: twoPoints.optimizer,
      control,
    })) {
      rates.push(step.learningRate)
      if (step.step === 1) control.send({ type: 'setLearningRate', value: 0.01 })
      if (step.step === 3) control.send({ type: 'setLearningRate', value: null })
    }
    expect(rates).toEqual([0.1, 0.1, 0.01, 0.01, 0.1])
  })
})

test('ends where fit ends: nothing else is in its snapshot', () => {
  const loop = trainLoop(line, few, { loss: mse(), optimizer: twoPoints.optimizer })
  let last = loop.next()
  while (!last.done) last = loop.next()
  expect(timeless(last.value!)).toMatchObject({
    step: 2,
    epoch: 0,
    batch: 2,
    history: [],
    kept: {},
    ended: null,
  })
})

const nothing = (): void => {}

test.each([
  ["trainLoop: unknown option 'epochs'; use loss, trainStep, optimizer,", { epochs: 3 }],
  ['fit: loss must be a function, got undefined', { loss: undefined }],
  ['trainLoop: control must be a machine, got an object', { control: {} }],
  ['fit: from must be a snapshot of a run, or a store, got a string', { from: 'here' }],
  [
    'trainLoop: from must be a snapshot, got a store; pass await store.latest()',
    { from: { open: nothing, save: nothing, latest: nothing } },
  ],
  ['fit: seed must be an integer from 0 on, got 0.5', { seed: 0.5 }],
])('%s', (words, wrong) => {
  const given = { loss: mse(), optimizer: twoPoints.optimizer, ...wrong }
  expect(() => trainLoop(line, few, given as never)).toThrow(words)
})

test('what is no batches is refused', () => {
  const given = { loss: mse(), optimizer: twoPoints.optimizer }
  expect(() => trainLoop(line, 5 as never, given)).toThrow(
    'trainLoop: batches must be iterable, got a number',
  )
  expect(() => trainLoop(line, few, 5 as never)).toThrow('trainLoop: options must be an object, got')
})
