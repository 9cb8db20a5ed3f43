import * as t from '@tapeflow/autodiff'
import { constrain, l1, l2, maxNorm, mse, nonNeg, regularize } from '@tapeflow/nn'
import { adam, type Optimizer, sgd } from '@tapeflow/optim'
import { describe, expect, test } from 'vitest'
import { type FitOptions, fit, type StepEvent } from '../src/index.ts'
import { eventsOf, line, modes, points, surface, surfaceModel, twoPoints } from './small.ts'
import { told, toldInBothModes } from './told.ts'

const isWeight = (path: string): boolean => path.endsWith('weight')
const decay = regularize([{ at: isWeight, penalty: l2(0.5) }])

describe.each(modes)('regularizers and constraints, %s', (_, mode) => {
  test('the penalty is told apart from the loss, and its gradient is in the update', async () => {
    const seen: object[] = []
    await eventsOf(
      fit(line, {
        ...twoPoints,
        ...mode,
        validation: points([0, 0]).batch(1),
        regularizers: decay,
        epochs: 1,
        watch: ['gradients'],
        monitors: [
          (event) => {
            if (event.type === 'epoch' || event.type === 'validation') seen.push({ loss: event.loss })
            if (event.type !== 'step') return
            const { loss, penalty, runningLoss, gradients, weights } = event
            seen.push({
              loss,
              penalty,
              runningLoss,
              gradients: t.toSnapshot(gradients.tree),
              weights: t.toSnapshot(weights.tree),
            })
          },
        ],
      }),
    )
    // By hand: w = b = 0 at (1, 2), then w = b = 0.4 at (2, 4).
    const close = (value: number) => expect.closeTo(value, 5)
    const tree = (weight: number, bias: number) => ({
      bias: expect.objectContaining({ values: Float32Array.of(bias) }),
      weight: expect.objectContaining({ values: Float32Array.of(weight) }),
    })
    expect(seen[0]).toEqual({
      loss: 4,
      penalty: 0,
      runningLoss: 4,
      gradients: tree(-4, -4),
      weights: tree(0.4, 0.4),
    })
    expect(seen[1]).toMatchObject({ loss: close(7.84), penalty: close(0.08), runningLoss: close(5.92) })
    const { gradients, weights } = seen[1] as { gradients: Line; weights: Line }
    expect(gradients.weight.values[0]).toBeCloseTo(-11.2 + 0.4, 5)
    expect(gradients.bias.values[0]).toBeCloseTo(-5.6, 5)
    expect(weights.weight.values[0]).toBeCloseTo(0.4 + 1.08, 5)
    // Neither is in the epoch's loss, or in that of the validation: b² = 0.96².
    expect(seen.slice(2)).toEqual([{ loss: close(5.92) }, { loss: close(0.96 ** 2) }])
  })

  test('constraints hold after each update, and for the next step', async () => {
    const seen: number[][] = []
    const { data } = twoPoints
    await eventsOf(
      fit(line, {
        data,
        loss: mse(),
        optimizer: sgd({ learningRate: 0.1 }),
        ...mode,
        epochs: 1,
        constraints: constrain([{ at: isWeight, constraint: maxNorm(0.25) }]),
        monitors: [
          (event) => {
            if (event.type !== 'step') return
            const { weight, bias } = event.weights.tree as { weight: t.Tensor; bias: t.Tensor }
            seen.push([event.loss, weight.item(), bias.item()])
          },
        ],
      }),
    )
    // The second prediction is 0.25 · 2 + 0.4.
    expect(seen[0]).toEqual([4, expect.closeTo(0.25, 6), expect.closeTo(0.4, 6)])
    expect(seen[1]).toEqual([
      expect.closeTo(3.1 ** 2, 5),
      expect.closeTo(0.25, 6),
      expect.closeTo(0.4 + 0.62, 5),
    ])
  })

  test('an optimizer that evaluates once more is given loss and penalty together', async () => {
    const evaluating: Optimizer<never> = {
      name: 'evaluating',
      hyperparameters: [],
      init: () => ({}),
      hyper: () => ({ learningRate: 0.1 }),
      update: (_gradients, slots, params, _hyper, evaluate) => {
        const { value } = evaluate!(params)
        return { params: t.mapTensors(params, (x) => t.add(x, value)) as typeof params, slots }
      },
    }
    const all = regularize([{ at: () => true, penalty: (x) => t.add(l1(0)(x), 1) }])
    const found: number[] = []
    await eventsOf(
      fit(line, {
        ...twoPoints,
        ...mode,
        optimizer: evaluating,
        regularizers: all,
        steps: 1,
        monitors: [
          (event) => {
            if (event.type === 'step')
              found.push(event.loss, event.penalty, t.leaves(event.weights.tree)[0]!.item())
          },
        ],
      }),
    )
    expect(found).toEqual([4, 2, 6])
  })
})

type Line = Readonly<Record<'weight' | 'bias', { readonly values: Float32Array }>>

describe('a run with penalties and constraints', () => {
  const options = {
    data: surface(50).batch(16),
    validation: surface(10, 2).batch(5),
    loss: mse(),
    epochs: 2,
    regularizers: regularize([
      { at: isWeight, penalty: l2(1e-2) },
      { at: (path) => path === 'layers.4.weight', penalty: l1(1e-2) },
    ]),
    constraints: constrain([
      { at: (path) => path === 'layers.0.weight', constraint: nonNeg() },
      { at: isWeight, constraint: maxNorm(0.8) },
    ]),
  }

  test.each([
    ['sgd with momentum', sgd({ learningRate: 0.05, momentum: 0.9 })],
    ['adam', adam({ learningRate: 0.01 })],
  ])('tells the same compiled and eagerly, bit for bit, and leaves nothing: %s', async (_, optimizer) => {
    const watch = ['gradients', 'gradientNorm', 'activations'] as const
    const tellings = await toldInBothModes(surfaceModel, { ...options, optimizer, watch })
    const penalties = tellings.flatMap((one) => (one.type === 'step' ? [Number(one.penalty)] : []))
    expect(penalties).toHaveLength(8)
    expect(penalties.every((penalty) => penalty > 0)).toBe(true)
  })

  test.each<[string, unknown, string]>([
    ['a penalty', l2(0.1), 'l2: weights must be one tensor, got an object; pass regularize(['],
    [
      'one without a term',
      () => t.tensor(1),
      'regularizers must give { value }, got a Tensor; pass regularize([',
    ],
  ])('that is none, %s, says what to pass', async (_, regularizers, words) => {
    const run$ = fit(surfaceModel, {
      ...options,
      optimizer: sgd({ learningRate: 0.1 }),
      regularizers,
    } as FitOptions)
    await expect(eventsOf(run$)).rejects.toThrow(words)
  })

  test('is another run than one without, which has a penalty of 0', async () => {
    const optimizer = sgd({ learningRate: 0.05 })
    const { regularizers, constraints, ...plain } = { ...options, optimizer }
    const penaltiesOf = async (given: Parameters<typeof fit>[1]): Promise<number[]> =>
      (await eventsOf(fit(surfaceModel, given))).flatMap((event) =>
        event.type === 'step' ? [(event satisfies StepEvent).penalty] : [],
      )
    expect(await penaltiesOf(plain)).toEqual(new Array(8).fill(0))
    const [without, penalised, constrained] = await Promise.all([
      told(fit(surfaceModel, plain)),
      told(fit(surfaceModel, { ...plain, regularizers })),
      told(fit(surfaceModel, { ...plain, constraints })),
    ])
    expect(penalised.at(-1)).not.toEqual(without.at(-1))
    expect(constrained.at(-1)).not.toEqual(without.at(-1))
  })
})
