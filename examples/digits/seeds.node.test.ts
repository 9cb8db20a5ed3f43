import { EMPTY, NEVER } from 'rxjs'
import { expect, test } from 'vitest'
import { choicesFrom } from './options.ts'
import { examine } from './report.ts'
import { digitsApart, trainDigits } from './train.ts'

// All ten seeds in `npm run test:long`, one of them otherwise.
const count = import.meta.env['LONG'] === '1' ? 10 : 1

test(`over seeds 1 to ${count} the median test accuracy is at least 95 %, and none below 93.5 %`, {
  timeout: 300_000,
}, async () => {
  const data = digitsApart()
  const [unseen] = await data.test.batch(1000).toArray()
  const silent = { name: 'silent', run: () => EMPTY }
  const accuracies: number[] = []
  for (let seed = 1; seed <= count; seed++) {
    const choices = choicesFrom(['node', 'main.ts', '--seed', String(seed)])
    const { predict } = await trainDigits(data, choices, silent, NEVER)
    accuracies.push(examine(predict, unseen!).accuracy)
  }
  accuracies.sort((a, b) => a - b)
  console.log(`test accuracies: ${accuracies.map((accuracy) => accuracy.toFixed(3)).join(' ')}`)
  expect(accuracies[0]).toBeGreaterThanOrEqual(0.935)
  expect((accuracies[(count - 1) >> 1]! + accuracies[count >> 1]!) / 2).toBeGreaterThanOrEqual(0.95)
})
