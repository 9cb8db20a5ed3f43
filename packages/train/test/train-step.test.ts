import * as t from '@tapeflow/autodiff'
import { accuracy, batchNorm, constrain, dropout, linear, maxNorm, mse, relu, sequential } from '@tapeflow/nn'
import { adam } from '@tapeflow/optim'
import type { Observable } from 'rxjs'
import { describe, expect, test } from 'vitest'
import {
  type BatchTensors,
  type Carry,
  fit,
  result,
  type StepContext,
  type StepOptions,
  type TrainEvent,
  type TrainStep,
} from '../src/index.ts'
import { eventsOf, line, modes, surface, twoPoints } from './small.ts'
import { told } from './told.ts'

const model = sequential(linear(2, 8), batchNorm(), relu(), dropout(0.3), linear(8, 1))
const optimizer = adam({ learningRate: (step) => 0.05 / (1 + step) })
const loss = mse()
type Made = ReturnType<typeof model.init>
type P = Made['params']
type S = Made['state']

/** The step that `fit` makes by itself, written out. */
const usual: TrainStep<P, S> = ({ params, state, slots }, { x, y, weights }, { hyper, ...context }) => {
  const forward = t.valueAndGrad((at: P) => {
    const made = model.apply(at, state, x, context)
    return { value: loss(made.y, y, weights), aux: made }
  })
  const { value, gradients, aux } = forward(params)
  const next = optimizer.update(gradients, slots, params, hyper)
  return { ...next, state: aux.state, loss: value, prediction: aux.y, gradients }
}

const options = { data: surface(50).batch(16), optimizer, epochs: 3, seed: 3 }

describe.each(modes)('a training step of one’s own, %s', (_, mode) => {
  test('written as the usual one gives the bits of that, with metrics, validation, constraints and what is watched', async () => {
    const more = {
      ...options,
      ...mode,
      loss,
      validation: surface(20, 5).batch(8),
      metrics: [{ ...accuracy(), name: 'size', update: (_: unknown, y: t.Tensor) => y.size } as never],
      constraints: constrain([{ at: (path) => path.endsWith('weight'), constraint: maxNorm(0.5) }]),
      watch: ['gradients', 'gradientNorm'] as const,
    }
    const tell = (own: object): Promise<unknown> =>
      told(fit(model, { ...more, ...own } as unknown as StepOptions<P, S>), false)
    expect(await tell({ trainStep: usual })).toEqual(await tell({}))
  })

  test('leaves nothing in the heap', async () => {
    const before = t.memory()
    await told(fit(model, { ...options, ...mode, trainStep: usual }))
    expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
  })

  test('has losses that validation by another loss has not, and the other way round', async () => {
    const validated = { ...options, ...mode, loss, validation: options.data }
    const losses = async (run$: Observable<TrainEvent<P, S>>): Promise<unknown[]> => {
      const { history } = await result(run$)
      return history.flatMap((epoch) =>
        [epoch.losses, epoch.validation!.losses].map((one) => Object.keys(one ?? {})),
      )
    }
    const named: TrainStep<P, S> = (carry, batch, context) => {
      const made = usual(carry, batch, context)
      return { ...made, losses: { own: made.loss } }
    }
    const epochs = 2
    expect(await losses(fit(model, { ...validated, epochs, trainStep: named }))).toEqual([
      ['own'],
      [],
      ['own'],
      [],
    ])
    const several = { a: mse(), b: mse() }
    expect(await losses(fit(model, { ...validated, epochs, loss: several, trainStep: usual }))).toEqual([
      [],
      ['a', 'b'],
      [],
      ['a', 'b'],
    ])
  })

  test('tells losses by name, and needs no loss of its own', async () => {
    const trainStep: TrainStep<P, S> = (carry, batch, context) => {
      const made = usual(carry, batch, context)
      return { ...made, losses: { twice: t.mul(made.loss, 2), error: made.loss } }
    }
    const events = await eventsOf(fit(model, { ...options, ...mode, trainStep }))
    for (const event of events) {
      if (event.type !== 'step' && event.type !== 'epoch') continue
      expect(event.losses!['error']).toBeCloseTo(event.loss, 6)
      expect(event.losses!['twice']).toBeCloseTo(2 * event.loss, 6)
    }
  })

  const wrong: readonly (readonly [words: string, made: (made: ReturnType<typeof usual>) => unknown])[] = [
    ['must return { params, state, slots, loss }, got undefined', () => undefined],
    [
      'must return a loss of one number, got undefined',
      ({ params, state, slots }) => ({ params, state, slots }),
    ],
    ['must return a loss of one number, got shape [2]', (made) => ({ ...made, loss: t.zeros([2]) })],
    [
      'must return { params, state, slots, loss }, got a Promise; it must not be async',
      async () => {
        throw new Error('later')
      },
    ],
    [
      'must return losses.a of one number, got a number; return a tensor',
      (made) => ({ ...made, losses: { a: 0 } }),
    ],
    [
      'must return losses.a of one number, got shape [2]',
      (made) => ({ ...made, losses: { a: t.zeros([2]) } }),
    ],
    [
      "must return params like those it was given: [8] at 'layers.0.bias', got nothing",
      (made) => ({ ...made, params: { layers: [{}, ...made.params.layers.slice(1)] } }),
    ],
    [
      "must return slots like those it was given: [8] at 'm.layers.0.bias', got nothing",
      (made) => ({ ...made, slots: {} }),
    ],
    ['gradients are watched, but it returned none', (made) => ({ ...made, gradients: undefined })],
    ['there are metrics, but it returned no prediction', (made) => ({ ...made, prediction: undefined })],
  ]
  test.each(wrong)('%s', async (words, change) => {
    const before = t.memory()
    const trainStep = (carry: Carry<P, S>, batch: BatchTensors, context: StepContext): never =>
      change(usual(carry, batch, context)) as never
    const metrics = [{ name: 'none', init: () => 0, update: () => 0, result: Number }]
    const run$ = fit(model, { ...options, ...mode, trainStep, metrics, watch: ['gradients'] })
    await expect(eventsOf(run$)).rejects.toThrow(`fit: step 0 of epoch 0 failed: trainStep: ${words}`)
    expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
  })
})

test('what does not go together is refused at once', () => {
  const trainStep: TrainStep<never, null> = () => {
    throw new Error('not called')
  }
  const { data, optimizer } = twoPoints
  const given = { data, optimizer, epochs: 1, trainStep }
  const bad = (more: object) => () => fit(line, { ...given, ...more } as never)
  expect(bad({ trainStep: undefined })).toThrow(
    'fit: loss must be a function, got undefined; pass loss: mse(), or a trainStep',
  )
  expect(bad({ validation: data })).toThrow('fit: validation needs a loss, which trainStep does not give it')
  expect(bad({ evaluateTraining: true })).toThrow('fit: validation needs a loss')
  expect(bad({ regularizers: () => 0 })).toThrow('fit: regularizers were given with a trainStep')
  expect(bad({ watch: ['activations'] })).toThrow('fit: activations cannot be watched with a trainStep')
  expect(bad({ trainStep: 1 })).toThrow('fit: trainStep must be a function, got')
})
