import * as t from '@tapeflow/autodiff'
import { type Dataset, dataset } from '@tapeflow/data'
import { linear, mse, sequential, tanh } from '@tapeflow/nn'
import { adam, lbfgs, lookahead, type Optimizer, sam, sgd } from '@tapeflow/optim'
import { concatMap } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { type Callback, type FitOptions, fit, type TrainCommand } from '../src/index.ts'
import { eventsOf, type Sample, surface, twoPoints } from './small.ts'
import { told, toldInBothModes } from './told.ts'

const model = sequential(linear(2, 6), tanh(), linear(6, 1))
const data = surface(100)
  .shuffle({ key: t.key(3) })
  .batch(16)

/** Keeps a snapshot after a step, and goes back to it once, some steps later. */
function back(at: number, later: number): Callback {
  let restored = false
  return {
    name: 'back',
    run: (events$) =>
      events$.pipe(
        concatMap((event): TrainCommand[] => {
          if (event.type !== 'step' || restored) return []
          if (event.step === at) return [{ type: 'checkpoint' }]
          restored = event.step === later
          return restored ? [{ type: 'restore', from: 'latest', what: 'all' }] : []
        }),
      ),
  }
}

/** The losses of all steps, and what the run ends with. */
async function run(options: FitOptions): Promise<{ losses: number[]; end: unknown }> {
  const events = await eventsOf(fit(model, options))
  const end = events.at(-1)
  if (end?.type !== 'end') throw new Error('no end')
  const { params, slots } = end.result
  return {
    losses: events.flatMap((event) => (event.type === 'step' ? [event.loss] : [])),
    end: { params, slots },
  }
}

describe('optimizers that stand around others', () => {
  const optimizers: readonly (readonly [string, Optimizer<string>])[] = [
    ['sam', sam(sgd({ learningRate: 0.1, momentum: 0.9 }))],
    ['adaptive sam', sam(adam({ learningRate: 0.01 }), { radius: 0.5, adaptive: true })],
    ['lookahead', lookahead(adam({ learningRate: 0.01 }), { every: 3 })],
    ['lookahead of sam', lookahead(sam(sgd({ learningRate: 0.1 })), { every: 2, slowStep: 0.8 })],
  ]

  test.each(optimizers)('%s tells the same compiled and eagerly, bit for bit', async (_, optimizer) => {
    const tellings = await toldInBothModes(model, {
      data,
      loss: mse(),
      optimizer,
      steps: 18,
      watch: ['gradients', 'gradientNorm', 'activations'],
    })
    expect(tellings.filter(({ type }) => type === 'step')).toHaveLength(18)
  })

  test.each(
    optimizers.flatMap(([name, optimizer]) => [true, false].map((compile) => ({ name, optimizer, compile }))),
  )('$name goes on from a snapshot bit for bit (compiled: $compile)', async ({ optimizer, compile }) => {
    const options = { data, loss: mse(), optimizer, steps: 16, compile }
    const straight = await run(options)
    const returned = await run({ ...options, callbacks: [back(4, 10)] })
    expect(returned.end).toEqual(straight.end)
    expect(returned.losses).toEqual([...straight.losses.slice(0, 11), ...straight.losses.slice(5)])
  })
})

describe('lbfgs', () => {
  const rows = 40
  const inputs = t.normalValues(t.key(5), 3 * rows)
  const noise = t.normalValues(t.key(6), rows)
  const targets = Float32Array.from(
    { length: rows },
    (_, r) => 2 * inputs[3 * r]! - inputs[3 * r + 1]! + 0.5 * inputs[3 * r + 2]! + 3 + 0.3 * noise[r]!,
  )
  const whole: Dataset<Sample> = dataset({
    x: { shape: [rows, 3], values: inputs },
    y: { shape: [rows, 1], values: targets },
  })
  const full = { data: whole.batch(rows), loss: mse(), optimizer: lbfgs() }

  test('in full batches finds the closed-form solution of a regression in few steps', async () => {
    const events = await eventsOf(fit(linear(3, 1), { ...full, steps: 12 }))
    const end = events.at(-1)
    if (end?.type !== 'end') throw new Error('no end')
    const { weight, bias } = end.result.params
    const found = [...weight.values, ...bias.values]
    for (const [i, wanted] of leastSquares(inputs, targets).entries()) expect(found[i]).toBeCloseTo(wanted, 4)
  })

  test('makes a run eager where compile is left out, and leaves nothing', async () => {
    const before = t.memory()
    const asked = { ...full, data: surface(50).batch(50), steps: 8 }
    const tellings = await told(fit(model, asked))
    expect(tellings).toEqual(await told(fit(model, { ...asked, compile: false })))
    expect(tellings.at(-1)!.type).toBe('end')
    expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
  })

  test('goes on from a snapshot bit for bit', async () => {
    const options = { ...full, data: surface(50).batch(50), steps: 24 }
    const straight = await run(options)
    const returned = await run({ ...options, callbacks: [back(6, 15)] })
    expect(returned.end).toEqual(straight.end)
    expect(returned.losses).toEqual([...straight.losses.slice(0, 16), ...straight.losses.slice(7)])
    expect(straight.losses.at(-1)!).toBeLessThan(straight.losses[0]! / 4)
  })

  test.each([
    [
      { compile: true },
      'fit: lbfgs reads values while it decides, so that its steps cannot be compiled, got compile: true; leave compile out',
    ],
    [
      { compile: true, optimizer: lookahead(lbfgs()) },
      'fit: lookahead reads values while it decides, so that its steps cannot be compiled, got compile: true; leave compile out',
    ],
    [
      { numerics: { name: 'relaxed', kernels: {}, contracts: true } as never },
      'fit: eager steps are always strict, got numerics and lbfgs, whose steps are eager; leave one of them out',
    ],
  ])('is refused at once where its steps were to be programs: %o', (options, message) => {
    expect(() => fit(model, { ...twoPoints, optimizer: lbfgs(), epochs: 1, ...options })).toThrow(
      Object.assign(new RangeError(message), { operation: 'fit' }),
    )
  })
})

/** The weights and the bias with the smallest squared errors: the normal equations in float64, by elimination. */
function leastSquares(inputs: Float32Array, targets: Float32Array): number[] {
  const rows = Array.from(targets, (_, r) => [...inputs.subarray(3 * r, 3 * r + 3), 1])
  const system = [0, 1, 2, 3].map((i) => [
    ...[0, 1, 2, 3].map((k) => rows.reduce((sum, row) => sum + row[i]! * row[k]!, 0)),
    rows.reduce((sum, row, r) => sum + row[i]! * targets[r]!, 0),
  ])
  for (const [i, pivot] of system.entries()) {
    for (const [k, row] of system.entries()) {
      const factor = k === i ? 0 : row[i]! / pivot[i]!
      for (let c = 0; c < 5; c++) row[c]! -= factor * pivot[c]!
    }
  }
  return system.map((row, i) => row[4]! / row[i]!)
}
