// Trains a generator of eight clouds on a ring against a discriminator: `npm run try examples/gan/main.ts`.
import { writeFileSync } from 'node:fs'
import { Command, InvalidArgumentError } from 'commander'
import { type Moment, picture } from './picture.ts'
import { ring, spreadOf } from './ring.ts'
import { trainGan } from './train.ts'

const whole = (text: string): number => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('It must be an integer from 1 on.')
  return value
}
const { seed, steps, svg } = new Command('npm run try -- examples/gan/main.ts')
  .option('--seed <number>', 'what all is drawn from', whole, 1)
  .option('--steps <number>', 'how many steps are made', whole, 4000)
  .option('--svg <file>', 'writes a picture of the run there')
  .parse()
  .opts<{ seed: number; steps: number; svg?: string }>()

const moments: Moment[] = []
const shown = (points: Float32Array, step: number): void => {
  moments.push({ step, points })
  const { covered, near } = spreadOf(points)
  const share = (100 * near).toFixed(1)
  console.log(`${String(step).padStart(6)} steps: ${covered} of ${ring.modes} clouds, ${share} % near one`)
}
const every = Math.max(1, Math.floor(steps / 8))
await trainGan({ seed, steps, show: { every, shown } }, 2048)
if (svg !== undefined)
  writeFileSync(svg, picture('A generator learns a ring of eight clouds', moments.slice(-8)))
