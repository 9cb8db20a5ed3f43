import * as t from '@tapeflow/autodiff'
import { linear, mse, sequential } from '@tapeflow/nn'
import { sgd } from '@tapeflow/optim'
import { delay, lastValueFrom, type Observable, tap, toArray } from 'rxjs'
import { describe, expect, test } from 'vitest'
import {
  deadReLU,
  fit,
  gradients,
  losses,
  type Model,
  StaleSnapshotError,
  type StepEvent,
  type TrainEvent,
  weights,
} from '../src/index.ts'
import { parseWatch, type WatchName } from '../src/watch.ts'
import { eventsOf, line, modes, surface, surfaceModel, twoPoints } from './small.ts'

const surfaceOptions = {
  data: surface(64).batch(32),
  loss: mse(),
  optimizer: sgd({ learningRate: 0.1 }),
  epochs: 1,
}

/** What `look` sees of each step while it is handled. */
async function seen<P, S, R>(
  run$: Observable<TrainEvent<P, S>>,
  look: (event: StepEvent<P, S>) => R,
): Promise<R[]> {
  const looks: R[] = []
  await lastValueFrom(run$.pipe(tap((event) => event.type === 'step' && looks.push(look(event)))))
  return looks
}

describe.each(modes)('what a step shows, %s:', (_, mode) => {
  test('only what was asked for: another read names the option', async () => {
    const words = await seen(fit(line, { ...twoPoints, ...mode, steps: 1 }), (event) =>
      (['gradients', 'gradientNorm', 'activations'] as const).map((what) => {
        try {
          return event[what]
        } catch (error) {
          return error instanceof TypeError && error.message
        }
      }),
    )
    expect(words[0]).toEqual([
      "fit: gradients are not watched; pass watch: ['gradients'] to fit",
      "fit: gradientNorm is not watched; pass watch: ['gradientNorm'] to fit",
      "fit: activations are not watched; pass watch: ['activations:**'] to fit",
    ])
  })

  test('activations of the layers that the pattern names', async () => {
    const run$ = fit(surfaceModel, {
      ...surfaceOptions,
      ...mode,
      watch: ['activations:*.4'],
    })
    const paths = await seen(run$, (event) => event.activations.paths)
    expect(paths).toEqual([['layers.4'], ['layers.4']])
    const all$ = fit(surfaceModel, { ...surfaceOptions, ...mode, watch: ['activations:**'] })
    const shapes = await seen(all$, (event) => t.leaves(event.activations.tree).map(({ shape }) => shape))
    expect(shapes[0]).toEqual([
      [32, 16],
      [32, 16],
      [32, 16],
      [32, 16],
      [32, 1],
    ])
  })

  // It was freed with what the event showed, and the next step had none.
  test('activations of a layer that hands out its state as it is', async () => {
    const before = t.memory().bytes
    const constant: Model<null, { readonly value: t.Tensor }> = {
      init: () => ({ params: null, state: { value: t.zeros([1, 1]) }, outputShape: [1] }),
      apply: (_params, state, _x, { training }) => ({
        y: state.value,
        state: training ? { value: t.add(state.value, 1) } : state,
      }),
    }
    const run$ = fit(sequential(constant, linear(1, 1)), {
      ...twoPoints,
      ...mode,
      epochs: 2,
      watch: ['activations'],
    })
    const values = await seen(run$, (event) => event.activations.tree['layers.0']!.item())
    expect(values).toEqual([0, 1, 2, 3])
    expect(t.memory().bytes).toBe(before)
  })

  test.each([
    ['activations:layers.*', 'layers.0', true],
    ['activations:layers.*', 'layers.0.inner', false],
    ['activations:layers.**', 'layers.0.inner', true],
    ['activations', 'anything', true],
    ['activations:layers.1', 'layersx1', false],
    ['activations:layers.[13]', 'layers.1', false],
  ])("'%s' of '%s' is %s", (name, path, expected) => {
    expect(parseWatch([name]).activations?.(path)).toBe(expected)
  })

  test('nothing once it has passed', async () => {
    const events = await eventsOf(
      fit(line, { ...twoPoints, ...mode, epochs: 1, watch: ['gradients', 'gradientNorm', 'activations'] }),
    )
    const step = events.find((event) => event.type === 'step')!
    const words =
      'fit: weights of the step event at step 0 were read after it had passed; call snapshot() while handling it and keep that'
    expect(() => step.weights).toThrow(words)
    for (const read of [
      () => step.weights,
      () => step.gradients,
      () => step.gradientNorm,
      () => step.activations,
      () => step.snapshot(),
    ]) {
      expect(read).toThrow(StaleSnapshotError)
    }
    for (const event of events) {
      if (event.type === 'epoch' || event.type === 'finishing')
        expect(() => event.weights).toThrow(StaleSnapshotError)
    }
    expect(step.loss).toBe(4)
  })

  test('nothing through a view that was kept, but all through its snapshot', async () => {
    const kept = await seen(
      fit(line, { ...twoPoints, ...mode, epochs: 1, watch: ['gradients'] }),
      ({ weights, gradients }) => ({
        weights,
        gradients,
        copies: [weights.snapshot(), gradients.snapshot()],
      }),
    )
    for (const { weights, gradients } of kept) {
      expect(() => weights.snapshot()).toThrow(StaleSnapshotError)
      expect(() => gradients.tree).toThrow(StaleSnapshotError)
    }
    expect(kept[0]!.copies.map(({ bias }) => bias.values[0])).toEqual([Math.fround(0.4), -4])
  })

  test('an event is data: numbers that JSON can hold, and no tensors', async () => {
    const [step] = await seen(fit(line, { ...twoPoints, ...mode, steps: 1, watch: ['gradients'] }), (event) =>
      JSON.parse(JSON.stringify(event)),
    )
    expect(step).toEqual({
      type: 'step',
      step: 0,
      epoch: 0,
      batch: 0,
      rows: 1,
      loss: 4,
      losses: {},
      penalty: 0,
      runningLoss: 4,
      learningRate: 0.1,
      metrics: {},
      seconds: expect.any(Number),
      samplesPerSecond: expect.any(Number),
    })
  })
})

describe.each(modes)('a pattern that matches nothing, %s', (_, mode) => {
  test.each<WatchName>(['activations:layer.0', 'activations:', 'activations:layers.9.**'])(
    "'%s' is an error at the first step, which lists what there is",
    async (name) => {
      const run$ = fit(surfaceModel, { ...surfaceOptions, ...mode, watch: ['activations:layers.1', name] })
      await expect(lastValueFrom(run$)).rejects.toThrow(
        `fit: step 0 of epoch 0 failed: nothing matches '${name}' in watch; use one of layers.0, layers.1, layers.2, layers.3, layers.4`,
      )
    },
  )

  test('all of nothing is nothing, one of it is an error', async () => {
    const watching = (watch: readonly WatchName[]) => fit(line, { ...twoPoints, ...mode, steps: 1, watch })
    expect(await seen(watching(['activations:**']), ({ activations }) => activations.paths)).toEqual([[]])
    await expect(lastValueFrom(watching(['activations:layers.0']))).rejects.toThrow(
      "nothing matches 'activations:layers.0' in watch; there is nothing to match",
    )
    await expect(lastValueFrom(watching(['activations:**']).pipe(deadReLU()))).rejects.toThrow(
      "deadReLU: no watched activation matches '**'; the model has no layers inside",
    )
  })
})

describe('operators', () => {
  test('losses, gradients and weights copy at emission: later readers read the same', async () => {
    const run$ = fit(line, { ...twoPoints, epochs: 1, watch: ['gradients'] })
    const [lost, went, came] = await Promise.all([
      lastValueFrom(run$.pipe(losses(), delay(1), toArray())),
      lastValueFrom(run$.pipe(gradients('bias'), delay(1), toArray())),
      lastValueFrom(run$.pipe(weights(), delay(1), toArray())),
    ])
    expect(lost.map(({ loss }) => loss)).toEqual([4, expect.closeTo(7.84, 5)])
    expect(lost[0]).toEqual({ step: 0, epoch: 0, batch: 0, loss: 4, runningLoss: 4, learningRate: 0.1 })
    expect(went[0]).toEqual({
      step: 0,
      epoch: 0,
      path: 'bias',
      value: { shape: [1], values: Float32Array.of(-4) },
    })
    expect(came[0]!.value).toEqual({
      weight: { shape: [1, 1], values: Float32Array.of(0.4) },
      bias: { shape: [1], values: Float32Array.of(0.4) },
    })
  })

  test('a path may name a part of the tree', async () => {
    const part = await lastValueFrom(fit(surfaceModel, surfaceOptions).pipe(weights('layers.0')))
    expect(part.value).toMatchObject({ bias: { shape: [16] }, weight: { shape: [2, 16] } })
  })

  test('a path that is not there is an error that lists what is', async () => {
    const before = t.memory().bytes
    await expect(
      lastValueFrom(fit(line, { ...twoPoints, epochs: 1 }).pipe(weights('layers.0'))),
    ).rejects.toThrow("weights: nothing is at 'layers.0'; use one of bias, weight")
    expect(t.memory().bytes).toBe(before)
  })

  test('gradients that were not watched are an error that names the option', async () => {
    await expect(lastValueFrom(fit(line, { ...twoPoints, epochs: 1 }).pipe(gradients()))).rejects.toThrow(
      "pass watch: ['gradients'] to fit",
    )
  })
})
