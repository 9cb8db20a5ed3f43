import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

// Five seeds to the end in `npm run test:long`, one for an epoch otherwise.
const [count, epochs, least] = import.meta.env['LONG'] === '1' ? [5, 6, 97.5] : [1, 1, 92]

async function train(seed: number): Promise<{ readonly accuracy: number; readonly seconds: number }> {
  const program = ['--conditions=@tapeflow/source', '--import', 'tsx', 'examples/digits/cnn.ts']
  const choices = ['--epochs', String(epochs), '--seed', String(seed)]
  const cwd = fileURLToPath(new URL('../..', import.meta.url))
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [...program, ...choices], { cwd })
  expect(stderr).toBe('')
  const seconds = stdout.match(/^completed after \d epochs? in ([\d.]+) s$/m)?.[1]
  const accuracy = stdout.match(/^test accuracy ([\d.]+) %$/m)?.[1]
  return { accuracy: Number(accuracy), seconds: Number(seconds) }
}

test(`over seeds 1 to ${count} a convolutional network of ${epochs} epochs reaches a median test accuracy of ${least} %`, async () => {
  const runs: Awaited<ReturnType<typeof train>>[] = []
  for (let seed = 1; seed <= count; seed++) runs.push(await train(seed))
  console.log(runs.map(({ accuracy, seconds }) => `${accuracy} % in ${seconds} s`).join(', '))
  const accuracies = runs.map(({ accuracy }) => accuracy).sort((a, b) => a - b)
  expect(accuracies[(count - 1) / 2]).toBeGreaterThanOrEqual(least)
})
