import { expect, test } from 'vitest'
import { printedBy } from './child.ts'

// `snapshot()` of an event that had passed knew the whole run: its data, and up to 16 checkpoints.
test('events that are kept hold nothing of a run that is over', async () => {
  const found = await printedBy('kept-events.program.ts', ['--expose-gc'])
  expect(found).toEqual({
    kept: ['start', 'step', 'epoch', 'validation', 'command', 'finishing'],
    left: [],
  })
})
