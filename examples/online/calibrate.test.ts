import * as t from '@tapeflow/autodiff'
import { expect, test } from 'vitest'
import { calibrate } from './calibrate.ts'

test('a model that goes on learning follows a sensor that ages, one that was trained once does not', async () => {
  const before = t.memory().bytes
  const { trainedOnce, goingOn, dropped } = await calibrate(1)
  expect(dropped).toBe(0)
  // At the beginning one pass is worth less than twenty.
  expect(trainedOnce[0]).toBeLessThan(0.02)
  expect(trainedOnce[9]).toBeGreaterThan(0.5)
  for (const error of goingOn.slice(1)) expect(error).toBeLessThan(0.02)
  expect(t.memory().bytes).toBe(before)
})
