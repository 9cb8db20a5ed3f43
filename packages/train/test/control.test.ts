import { type Control, type Optimizer, sgd } from '@tapeflow/optim'
import { concatMap } from 'rxjs'
import { expect, test } from 'vitest'
import { type Callback, fit, type TrainCommand } from '../src/index.ts'
import { eventsOf, line, modes, twoPoints } from './small.ts'

/** An optimizer that notes what it is steered by, step by step. */
function noting(told: (Control | undefined)[]): Optimizer<never> {
  const inner = sgd({ learningRate: 0.01 })
  return {
    ...inner,
    hyper: (step, control) => {
      told.push(control)
      return inner.hyper(step, control)
    },
  }
}

test.each(modes)(
  '1000 steps see one and the same state of the machine: no step makes another, %s',
  async (_, mode) => {
    const told: (Control | undefined)[] = []
    await eventsOf(fit(line, { ...twoPoints, ...mode, optimizer: noting(told), steps: 1000 }))
    expect(told.length).toBeGreaterThanOrEqual(1000)
    expect(new Set(told).size).toBe(1)
    expect(Object.isFrozen(told[0])).toBe(true)
  },
)

test('a command makes another, once', async () => {
  const told: (Control | undefined)[] = []
  const halving: Callback = {
    name: 'halving',
    run: (events$) =>
      events$.pipe(
        concatMap((event): TrainCommand[] =>
          event.type === 'step' && event.step === 500 ? [{ type: 'scaleLearningRate', scale: 0.5 }] : [],
        ),
      ),
  }
  await eventsOf(fit(line, { ...twoPoints, optimizer: noting(told), steps: 1000, callbacks: [halving] }))
  expect([...new Set(told)].map((control) => control?.rateScale)).toEqual([1, 0.5])
})
