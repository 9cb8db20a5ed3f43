import * as t from '@tapeflow/autodiff'
import { batchNorm, type LinearParams, linear, mse, sequential } from '@tapeflow/nn'
import {
  accumulate,
  adam,
  chain,
  descend,
  ewma,
  masked,
  type Optimizer,
  partition,
  scaleByAdam,
  sgd,
} from '@tapeflow/optim'
import { concatMap, of, tap } from 'rxjs'
import { describe, expect, test } from 'vitest'
import {
  type Callback,
  type FitOptions,
  fit,
  type Model,
  type RunSnapshot,
  result,
  stochasticWeightAveraging,
  swapEma,
  type TrainCommand,
  type TrainEvent,
  unfreezeAt,
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
    const said: unknown[][] = []
    const log = (...words: unknown[]): number => said.push(words)
    const events = await eventsOf(scripted(none, { callbacks, log }))
    expect(events.filter(({ type }) => type === 'command')).toEqual([])
    // It said nothing.
    expect(said).toEqual([
      [
        'stochasticWeightAveraging: weights of no epoch are averaged',
        'epoch 5 does not come: the run has 5 epochs, from 0 on',
      ],
    ])
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

  /** What the run draws, and what it ends with, leaf by leaf under their paths; and the weights of each step. */
  const swapped = async <P extends t.Tree, S extends t.Tree>(
    model: Model<P, S>,
    options: Omit<FitOptions, 'loss' | 'data'>,
  ): Promise<{ drawn: Leaves; end: Leaves; visited: Leaves[] }> => {
    const leavesOf = (tree: unknown): Leaves =>
      t.scope(() => {
        const values = t.leaves(tree).map((x) => [...x.toFloat32Array()])
        return Object.fromEntries(t.paths(tree).map((path, i) => [path, values[i]!]))
      })
    const visited: Leaves[] = []
    const callbacks = [...(options.callbacks ?? []), swapEma()]
    const data = surface(40).batch(10)
    const { params }: { readonly params: unknown } = await result(
      fit(model, { ...options, data, loss: mse(), callbacks }).pipe(
        tap((event) => event.type === 'step' && visited.push(leavesOf(event.weights.tree))),
      ),
    )
    const drawn = t.scope(() => leavesOf(model.init(t.foldIn(t.key(0), 'init'), [2]).params))
    return { drawn, end: t.scope(() => leavesOf(t.fromSnapshot(params))), visited }
  }
  type Leaves = Readonly<Record<string, readonly number[]>>
  const averaging = chain(scaleByAdam(), ewma({ decay: 0.9 }), descend({ learningRate: 0.02 }))
  const first = ['layers.0.bias', 'layers.0.weight']
  const others = ['layers.2.bias', 'layers.2.weight', 'layers.4.bias', 'layers.4.weight']
  const only = (names: readonly string[], leaves: Leaves): Leaves =>
    Object.fromEntries(names.map((name) => [name, leaves[name]!]))

  // The average began at 0, and its correction counts every step: what stood still ended as 0.
  test.each(modes)('leaves what was frozen all along as it was drawn, %s', async (_, mode) => {
    const callbacks = [unfreezeAt({ path: 'layers.0.**', epoch: 9 })]
    const { drawn, end } = await swapped(surfaceModel, {
      ...mode,
      optimizer: averaging,
      callbacks,
      epochs: 4,
    })
    expect(only(first, end)).toEqual(only(first, drawn))
    for (const name of others) expect(end[name]).not.toEqual(drawn[name])
  })

  test.each(modes)('is the mean over all steps, those too in which it was frozen, %s', async (_, mode) => {
    const callbacks = [unfreezeAt({ path: 'layers.0.**', step: 13 })]
    const { end, visited } = await swapped(surfaceModel, {
      ...mode,
      optimizer: averaging,
      callbacks,
      epochs: 4,
    })
    const weights = visited.map((_, i) => 0.9 ** (visited.length - 1 - i))
    const total = weights.reduce((a, b) => a + b)
    expect(visited[11]![first[1]!]).toEqual(visited[0]![first[1]!])
    for (const [name, values] of Object.entries(end)) {
      for (const [k, value] of values.entries()) {
        const sum = visited.reduce((sum, at, i) => sum + weights[i]! * at[name]![k]!, 0)
        expect(value).toBeCloseTo(sum / total, 5)
      }
    }
  })

  test.each(modes)('leaves what is frozen at the end as it is, %s', async (_, mode) => {
    const freezing: Callback = {
      name: 'freezing',
      run: concatMap(({ type, step }): TrainCommand[] =>
        type === 'step' && step === 7 ? [{ type: 'freeze', path: 'layers.0.**' }] : [],
      ),
    }
    const { end, visited } = await swapped(surfaceModel, {
      ...mode,
      optimizer: averaging,
      callbacks: [freezing],
      epochs: 4,
    })
    expect(only(first, end)).toEqual(only(first, visited[7]!))
    for (const name of others) expect(end[name]).not.toEqual(visited.at(-1)![name])
  })

  test.each(modes)(
    'leaves the weights where no update took place, also those restored before, %s',
    async (_, mode) => {
      const optimizer = chain(accumulate(8), ewma({ decay: 0.9 }), descend({ learningRate: 0.1 }))
      const options = { ...mode, optimizer, epochs: 1 }
      const { drawn, end, visited } = await swapped(surfaceModel, options)
      expect(visited).toHaveLength(4)
      expect(end).toEqual(drawn)

      const from = t.scope(() => t.toSnapshot(surfaceModel.init(t.key(5), [2])))
      const commands = of<TrainCommand>({ type: 'restore', from, what: 'parameters' })
      const restored = await swapped(surfaceModel, { ...options, commands })
      expect(restored.end).toEqual(restored.visited[0])
      expect(restored.end).not.toEqual(drawn)
    },
  )

  test.each(modes)('swaps those alone that have an average, %s', async (_, mode) => {
    const plain = descend({ learningRate: 0.1 })
    const some = masked(ewma({ decay: 0.9 }), (path) => path.endsWith('weight'))
    const masking = await swapped(surfaceModel, { ...mode, optimizer: chain(some, plain), epochs: 1 })
    for (const [name, values] of Object.entries(masking.end)) {
      if (name.endsWith('bias')) expect(values).toEqual(masking.visited.at(-1)![name])
      else expect(values).not.toEqual(masking.visited.at(-1)![name])
    }

    // Two layers under names of their own.
    const [body, head] = [linear(2, 3), linear(3, 1)]
    const model: Model<{ body: LinearParams; head: LinearParams }, null> = {
      init: (key) => ({
        params: { body: body.init(key, [2]).params, head: head.init(key, [3]).params },
        state: null,
        outputShape: [1],
      }),
      apply: (params, state, x, ctx) => ({
        y: head.apply(params.head, null, body.apply(params.body, null, x, ctx).y, ctx).y,
        state,
      }),
    }
    const optimizer = partition({ body: chain(ewma({ decay: 0.9 }), plain), head: plain })
    const parts = await swapped(model, { ...mode, optimizer, epochs: 1 })
    const last = parts.visited.at(-1)!
    expect(only(['head.bias', 'head.weight'], parts.end)).toEqual(only(['head.bias', 'head.weight'], last))
    expect(parts.end['body.weight']).not.toEqual(last['body.weight'])
  })

  test('leaves the weights where no step was made', async () => {
    const commands = of<TrainCommand>({ type: 'stop' })
    const events = await eventsOf(scripted([0], { optimizer, callbacks: [swapEma()], commands }))
    expect(events.filter(({ type }) => type === 'command')).toHaveLength(1)
  })

  test('says after the first step that there is no such slot, or that it is no average', async () => {
    await expect(result(scripted([0], { callbacks: [swapEma()] }))).rejects.toThrow(
      "fit: callback 'swapEma' failed: swapEma: the optimizer has no slot 'average': it has none; put ewma into its chain",
    )
    const steps: number[] = []
    const run$ = scripted([0, 0], { optimizer, callbacks: [swapEma({ slot: 'ema' })] }).pipe(
      tap(({ type, step }) => type === 'step' && steps.push(step)),
    )
    await expect(result(run$)).rejects.toThrow("no slot 'ema': it has average")
    expect(steps).toEqual([0])
    const odd: Optimizer<string> = {
      ...sgd({ learningRate: 1 }),
      init: () => ({ average: { weight: t.zeros([2]) } }) as never,
      update: (_, slots, params) => ({ params, slots }),
    }
    const run = result(scripted([0, 0], { optimizer: odd, callbacks: [swapEma()], compile: false }))
    await expect(run).rejects.toThrow(
      "swapEma: the slot 'average' has [2] at 'weight', the weights have [1,1]; name the slot of an ewma",
    )
    expect(() => Reflect.apply(swapEma, undefined, [{ slot: 1 }])).toThrow(
      'swapEma: slot must be a name, got a number',
    )
  })
})
