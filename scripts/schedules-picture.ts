// Draws docs/schedules.svg: every schedule over 100 steps. `--check` writes nothing and exits 1 where the picture is stale, or where a
// schedule that @tapeflow/optim exports is not in it.
//
//   node --conditions=@tapeflow/source --import tsx scripts/schedules-picture.ts
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join as joinPaths } from 'node:path'
import { smallMultiples } from '../examples/course/small-multiples.ts'
import {
  constant,
  cosineDecay,
  cosineRestarts,
  cyclic,
  exponentialDecay,
  inverseTimeDecay,
  join,
  linear,
  noam,
  oneCycle,
  piecewise,
  polynomialDecay,
  type Schedule,
  stepDecay,
  warmup,
} from '../packages/optim/src/index.ts'

/** Name of the function -> lines, by what is written beside them. The largest rate is 1. */
const schedules: Readonly<Record<string, Readonly<Record<string, Schedule>>>> = {
  constant: { '': constant(0.7) },
  linear: { '': linear({ from: 1, to: 0.2, steps: 80 }) },
  warmup: { '': warmup({ to: 1, steps: 60 }) },
  cosineDecay: {
    'to: 0': cosineDecay({ from: 1, steps: 80 }),
    'to: 0.3': cosineDecay({ from: 1, to: 0.3, steps: 80 }),
  },
  cosineRestarts: {
    'periodFactor: 2': cosineRestarts({ from: 1, steps: 14, periodFactor: 2 }),
    'restartFactor: 0.6': cosineRestarts({ from: 1, steps: 14, periodFactor: 2, restartFactor: 0.6 }),
  },
  exponentialDecay: {
    'steps: 20': exponentialDecay({ from: 1, factor: 0.5, steps: 20 }),
    'staircase: true': exponentialDecay({ from: 1, factor: 0.5, steps: 20, staircase: true }),
  },
  stepDecay: { 'factor: 0.4': stepDecay({ from: 1, factor: 0.4, steps: 25 }) },
  piecewise: { '': piecewise([1, 0.5, 0.8, 0.1], [20, 45, 70]) },
  polynomialDecay: {
    'power: 1': polynomialDecay({ from: 1, steps: 80 }),
    'power: 3': polynomialDecay({ from: 1, steps: 80, power: 3 }),
    'cycle: true': polynomialDecay({ from: 1, steps: 25, cycle: true }),
  },
  inverseTimeDecay: {
    'decay: 1': inverseTimeDecay({ from: 1, decay: 1, steps: 20 }),
    'staircase: true': inverseTimeDecay({ from: 1, decay: 1, steps: 20, staircase: true }),
  },
  noam: { 'warmupSteps: 20': noam({ features: 1, warmupSteps: 20, factor: Math.sqrt(20) }) },
  oneCycle: {
    'by default': oneCycle({ peak: 1, steps: 100 }),
    "phases: 3, 'linear'": oneCycle({ peak: 1, steps: 100, phases: 3, shape: 'linear', rising: 0.4 }),
  },
  cyclic: {
    triangular: cyclic({ from: 0.1, to: 1, steps: 14 }),
    triangular2: cyclic({ from: 0.1, to: 1, steps: 14, mode: 'triangular2' }),
    expRange: cyclic({ from: 0.1, to: 1, steps: 14, mode: 'expRange', factor: 0.97 }),
  },
  join: {
    'warmup, cosineDecay': join([warmup({ to: 1, steps: 20 }), cosineDecay({ from: 1, steps: 70 })], [20]),
  },
}

const root = joinPaths(import.meta.dirname, '..')
const picture = joinPaths(root, 'docs/schedules.svg')
const steps = [...Array(101).keys()]
const panels = Object.entries(schedules).map(([title, lines]) => ({
  title,
  lines: Object.entries(lines).map(([name, schedule]) => ({ name, values: steps.map(schedule) })),
}))
const svg = smallMultiples('The rate of each schedule over 100 steps, as a share of the largest', panels, {
  columns: 4,
  x: 'step',
})

// A file for each schedule: what has none in the picture is missing.
const files = readdirSync(joinPaths(root, 'packages/optim/src/schedules'))
const drawn = new Set(
  Object.keys(schedules).map((name) => `${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}.ts`),
)
const missing = files.filter((file) => !drawn.has(file))
if (missing.length > 0) {
  console.error(`docs/schedules.svg lacks ${missing.join(', ')}; add it to scripts/schedules-picture.ts`)
  process.exitCode = 1
} else if (!process.argv.includes('--check')) {
  writeFileSync(picture, svg)
  console.log(`docs/schedules.svg: ${panels.length} schedules`)
} else if (!existsSync(picture) || readFileSync(picture, 'utf8') !== svg) {
  console.error('docs/schedules.svg is not current; run `npm run generate`')
  process.exitCode = 1
}
