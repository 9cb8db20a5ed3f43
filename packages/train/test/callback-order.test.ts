import { mse } from '@tapeflow/nn'
import { adam } from '@tapeflow/optim'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Callback,
  checkpointEvery,
  type FitOptions,
  fit,
  keepBest,
  reduceLROnPlateau,
  stochasticWeightAveraging,
  targetReached,
  terminateOnNaN,
  timeLimit,
} from '../src/index.ts'
import { eventsOf, scripted, surface, surfaceModel } from './small.ts'

const monitor = 'epoch.loss'

/** Callbacks of which no two give commands of one kind at one boundary: of those the last would win. */
const independent: Readonly<Record<string, () => Callback>> = {
  reduceLROnPlateau: () => reduceLROnPlateau({ monitor, patience: 1, factor: 0.5 }),
  keepBest: () => keepBest({ monitor }),
  checkpointEvery: () => checkpointEvery({ epochs: 2 }),
  targetReached: () => targetReached({ monitor, target: 0.5 }),
  terminateOnNaN: () => terminateOnNaN(),
  timeLimit: () => timeLimit({ seconds: 1e6 }),
}
/** Beside those, in the place of keepBest. */
const averaging = { ...independent, keepBest: () => stochasticWeightAveraging({ startFrom: 1 }) }

/** What was asked for after each step, whatever came first, and what the run came to. */
async function decided(
  names: readonly string[],
  made: Readonly<Record<string, () => Callback>>,
  run: (callbacks: readonly Callback[]) => Promise<unknown[]>,
): Promise<{ readonly sorted: readonly unknown[]; readonly [what: string]: unknown }> {
  const events = (await run(names.map((name) => made[name]!()))) as Awaited<ReturnType<typeof eventsOf>>
  const commands = events.flatMap((event) =>
    event.type === 'command' ? [{ step: event.step, source: event.source, command: event.command }] : [],
  )
  const sorted = commands.toSorted(
    (a, b) => a.step - b.step || (a.source < b.source ? -1 : a.source > b.source ? 1 : 0),
  )
  const end = events.at(-1)!
  if (end.type !== 'end') throw new Error('the run has not come to its end')
  const { params, slots, control, step } = end.result
  return { sorted, reason: end.reason, params, slots, control, step }
}

const subset = fc
  .subarray(Object.keys(independent))
  .chain((names) => fc.tuple(fc.constant(names), fc.shuffledSubarray(names, { minLength: names.length })))
// Above the target, at it, and none.
const loss = fc.constantFrom(4, 2, 1, 1, 0.5, Number.NaN)

describe('independent callbacks', () => {
  test.each([
    ['with the best weights', independent],
    ['with averaged weights', averaging],
  ])('decide the same in any order, %s', async (_, made) => {
    await fc.assert(
      fc.asyncProperty(
        subset,
        fc.array(loss, { minLength: 1, maxLength: 8 }),
        async ([names, shuffled], values) => {
          const run = (callbacks: readonly Callback[]) => eventsOf(scripted(values, { callbacks }))
          expect(await decided(shuffled, made, run)).toEqual(await decided(names, made, run))
        },
      ),
      { numRuns: 60, seed: 1 },
    )
  })

  test('decide the same in any order in a run of a network', async () => {
    const options: FitOptions = {
      data: surface(40).batch(20),
      loss: mse(),
      optimizer: adam({ learningRate: 0.3 }),
      epochs: 8,
    }
    const run = (callbacks: readonly Callback[]) => eventsOf(fit(surfaceModel, { ...options, callbacks }))
    const names = Object.keys(independent)
    const wanted = await decided(names, independent, run)
    expect(wanted.sorted.length).toBeGreaterThan(4)
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(names, { minLength: names.length }), async (shuffled) => {
        expect(await decided(shuffled, independent, run)).toEqual(wanted)
      }),
      { numRuns: 10, seed: 1 },
    )
  })
})
