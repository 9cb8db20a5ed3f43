import * as t from '@tapeflow/autodiff'
import { batchNorm, linear, mse, sequential } from '@tapeflow/nn'
import { adam, chain, descend, ewma, sgd } from '@tapeflow/optim'
import { concatMap, of, tap } from 'rxjs'
import { describe, expect, test } from 'vitest'
import {
  type FitOptions,
  fit,
  type RunSnapshot,
  result,
  stochasticWeightAveraging,
  swapEma,
  type TrainCommand,
  type TrainEvent,
} from '../src/index.ts'
import { eventsOf, framewise, modes, scripted, surface, surfaceModel, virtually } from './small.ts'

const commandsOf = concatMap((event: TrainEvent): TrainCommand[] =>
  event.type === 'command' ? [event.command] : [],
)
const none = [0, 0, 0, 0, 0]

describe('stochasticWeightAveraging', () => {
  test('ends with the mean of the weights at the ends of epochs', () => {
    virtually((scheduler, { expectObservable }) => {
      const callbacks = [stochasticWeightAveraging({ startFrom: 2 })]
      const run$ = scripted(none, { callbacks, ...framewise(scheduler) }, (step) => (step === 4 ? 4 : 1))
      // Weights 1, 2, 3, 4, 8: the mean of the last three.
      expectObservable(run$.pipe(commandsOf)).toBe('12ms r|', {
        r: {
          type: 'restore',
          from: { params: { weight: { shape: [1, 1], values: Float32Array.of(5) } }, state: null },
          what: 'parameters',
        },
      })
    })
  })

  test('takes every so many epochs', async () => {
    const callbacks = [stochasticWeightAveraging({ startFrom: 1, every: 2 })]
    const { params } = await result(scripted(none, { callbacks }))
    // Of epochs 1 and 3.
    expect(params.weight.values).toEqual(Float32Array.of(3))
  })

  test('leaves the weights where it has none to average', async () => {
    const callbacks = [stochasticWeightAveraging({ startFrom: 5 })]
    const events = await eventsOf(scripted(none, { callbacks }))
    expect(events.filter(({ type }) => type === 'command')).toEqual([])
  })

  test.each(modes)('is the mean of all tensors in float64, %s', async (_, mode) => {
    const options: FitOptions = {
      data: surface(40).batch(10),
      loss: mse(),
      optimizer: adam({ learningRate: 0.05 }),
      epochs: 6,
      callbacks: [stochasticWeightAveraging({ startFrom: 3 })],
      ...mode,
    }
    const seen: Float32Array[][] = []
    const { params } = await result(
      fit(surfaceModel, options).pipe(
        tap((event) => {
          if (event.type !== 'epoch' || event.epoch < 3) return
          seen.push(t.leaves(event.weights.tree).map((x) => x.toFloat32Array()))
        }),
      ),
    )
    expect(seen).toHaveLength(3)
    const found = params.layers.flatMap((layer) =>
      layer === null ? [] : [layer.bias!.values, layer.weight.values],
    )
    const wanted = found.map((values, i) =>
      values.map((_, k) => (seen[0]![i]![k]! + seen[1]![i]![k]! + seen[2]![i]![k]!) / 3),
    )
    expect(found).toEqual(wanted)
  })

  test.each([1, 2, 3, 4, 5])('goes on from a snapshot of step %i as if nothing had been', async (at) => {
    const callbacks = [stochasticWeightAveraging({ startFrom: 1 })]
    let from: RunSnapshot | undefined
    const straight = await result(
      scripted(none, { callbacks }).pipe(
        tap((event) => {
          if (event.type === 'step' && event.step === at - 1) from = event.snapshot()
        }),
      ),
    )
    const resumed = await result(
      scripted(none, { callbacks, commands: of({ type: 'restore', from: structuredClone(from!) }) }),
    )
    expect(resumed.params).toEqual(straight.params)
    expect(straight.params.weight.values).toEqual(Float32Array.of(3.5))
  })

  test('leaves moving statistics behind, which a pass at rate 0 brings up to the mean', async () => {
    const model = sequential(linear(2, 4), batchNorm({ momentum: 0.5 }), linear(4, 1))
    const options = { data: surface(60).batch(20), loss: mse(), epochs: 6 }
    const callbacks = [stochasticWeightAveraging({ startFrom: 2 })]
    const { params, state } = await result(
      fit(model, { ...options, optimizer: adam({ learningRate: 0.1 }), callbacks }),
    )
    const commands = of<TrainCommand>({ type: 'restore', from: { params, state }, what: 'parameters' })
    const passed = await result(fit(model, { ...options, optimizer: sgd({ learningRate: 0 }), commands }))
    expect(passed.params).toEqual(params)
    expect(passed.state).not.toEqual(state)
    const again = of<TrainCommand>({ type: 'restore', from: passed, what: 'parameters' })
    const twice = await result(
      fit(model, { ...options, optimizer: sgd({ learningRate: 0 }), commands: again }),
    )
    const change = (a: typeof state, b: typeof state): number => {
      const [one, two] = [a, b].map(({ layers }) => layers[1].movingMean.values)
      return Math.max(...one!.map((value, i) => Math.abs(value - two![i]!)))
    }
    expect(change(twice.state, passed.state)).toBeLessThan(0.1 * change(passed.state, state))
  })

  test.each<[string, Parameters<typeof stochasticWeightAveraging>[0]]>([
    ['stochasticWeightAveraging: startFrom must be an integer from 0 on, got -1', { startFrom: -1 }],
    ['stochasticWeightAveraging: every must be an integer from 1 on, got 0', { startFrom: 0, every: 0 }],
  ])('%s', (message, options) => {
    expect(() => stochasticWeightAveraging(options)).toThrow(expect.objectContaining({ message }))
  })
})

describe('swapEma', () => {
  const optimizer = chain(ewma({ decay: 0.5, biasCorrection: false }), descend({ learningRate: 1 }))

  test("ends with the optimizer's average in the place of the weights", () => {
    virtually((scheduler, { expectObservable }) => {
      const run$ = scripted([0, 0], { optimizer, callbacks: [swapEma()], ...framewise(scheduler) })
      // 0.5 · 0.5 · 1 + 0.5 · 2
      expectObservable(run$.pipe(commandsOf)).toBe('6ms r|', {
        r: {
          type: 'restore',
          from: { params: { weight: { shape: [1, 1], values: Float32Array.of(1.25) } }, state: null },
          what: 'parameters',
        },
      })
    })
  })

  test.each(modes)('is what slots.average says, also after a resume, %s', async (_, mode) => {
    const options: FitOptions = {
      data: surface(40).batch(10),
      loss: mse(),
      optimizer: chain(ewma({ decay: 0.9 }), descend({ learningRate: 0.1 })),
      epochs: 3,
      ...mode,
    }
    let from: RunSnapshot | undefined
    const last: RunSnapshot[] = []
    const straight = await result(
      fit(surfaceModel, { ...options, callbacks: [swapEma()] }).pipe(
        tap((event) => {
          if (event.type === 'step' && event.step === 6) from = event.snapshot()
          if (event.type === 'finishing') last.push(event.snapshot())
        }),
      ),
    )
    expect(last.map(({ slots }) => slots)).toEqual([{ average: straight.params }])
    const commands = of<TrainCommand>({ type: 'restore', from: from! })
    const resumed = await result(fit(surfaceModel, { ...options, callbacks: [swapEma()], commands }))
    expect(resumed.params).toEqual(straight.params)
  })

  test('leaves the weights where no step was made', async () => {
    const commands = of<TrainCommand>({ type: 'stop' })
    const events = await eventsOf(scripted([0], { optimizer, callbacks: [swapEma()], commands }))
    expect(events.filter(({ type }) => type === 'command')).toHaveLength(1)
  })

  test('says after the first step that there is no such slot', async () => {
    await expect(result(scripted([0], { callbacks: [swapEma()] }))).rejects.toThrow(
      "fit: callback 'swapEma' failed: swapEma: the optimizer has no slot 'average': it has none; put ewma into its chain",
    )
    const steps: number[] = []
    const run$ = scripted([0, 0], { optimizer, callbacks: [swapEma({ slot: 'ema' })] }).pipe(
      tap(({ type, step }) => type === 'step' && steps.push(step)),
    )
    await expect(result(run$)).rejects.toThrow("no slot 'ema': it has average")
    expect(steps).toEqual([0])
    expect(() => Reflect.apply(swapEma, undefined, [{ slot: 1 }])).toThrow(
      'swapEma: slot must be a name, got a number',
    )
  })
})
