import * as Plot from '@observablehq/plot'
import * as t from '@tapeflow/autodiff'
import { draw } from '../draw.ts'
import { claim, type Lesson, shown } from '../lesson.ts'

/** V = β V + (1 - β) x from V = 0 on; with the correction divided by 1 - β^t, the sum of the weights so far. */
function average(values: readonly number[], beta: number, corrected: boolean): number[] {
  let mean = 0
  return values.map((x, i) => {
    mean = beta * mean + (1 - beta) * x
    return corrected ? mean / (1 - beta ** (i + 1)) : mean
  })
}

const deviation = (values: readonly number[]): number =>
  Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length)
const worst = (values: readonly number[], wanted: readonly number[]): number =>
  Math.max(...values.map((x, i) => Math.abs(x - wanted[i]!)))

const betas = [0.5, 0.9, 0.98]
const days = 200

/** What β does to an exponentially weighted mean: memory and calm against delay, and a start that is too low without correction. */
export function ewmaAndBeta(): Lesson {
  // A season of temperatures, as the course's example has it.
  const season = Array.from({ length: days }, (_, day) => 20 - 8 * Math.cos((2 * Math.PI * day) / days))
  const noise = Array.from(t.normal(t.key(1), [days]).toFloat32Array(), (x) => 3 * x)
  const measured = season.map((x, i) => x + noise[i]!)

  const impulse = [1, ...Array<number>(999).fill(0)]
  const recent = betas.map((beta) => {
    const weights = average(impulse, beta, false)
    return weights.slice(0, Math.round(1 / (1 - beta))).reduce((a, b) => a + b, 0)
  })
  const long = Array.from(t.normal(t.key(2), [20000]).toFloat32Array())
  const calm = betas.map((beta) => deviation(average(long, beta, false).slice(1000)) / deviation(long))
  const expected = betas.map((beta) => Math.sqrt((1 - beta) / (1 + beta)))
  const ramp = Array.from({ length: 2000 }, (_, i) => i)
  const delays = betas.map((beta) => 1999 - average(ramp, beta, false).at(-1)!)

  const slow = 0.98
  const [raw, mended] = [false, true].map((corrected) => average(measured, slow, corrected)) as [
    number[],
    number[],
  ]
  const gap = (day: number): number => Math.abs(raw[day]! / mended[day]! - 1)
  const steady = average(Array<number>(50).fill(10), slow, true)
  const points = betas.flatMap((beta) =>
    average(measured, beta, true).map((y, x) => ({ line: `β = ${beta}`, x, y })),
  )
  const named = [
    { line: 'β = 0.5', x: days + 2, y: points.filter(({ line }) => line === 'β = 0.5').at(-1)!.y - 1.2 },
    { line: 'β = 0.9', x: days + 2, y: points.filter(({ line }) => line === 'β = 0.9').at(-1)!.y + 1.2 },
    { line: 'β = 0.98', x: days + 2, y: mended.at(-1)! },
    { line: 'β = 0.98, not corrected', x: 38, y: 6 },
  ]
  return {
    title: 'Weighted means and β',
    claims: [
      claim(
        `the last 1 / (1 - β) values have ${recent.map(shown).join(', ')} of the weight at β = ${betas.join(', ')}: about 1 - 1/e`,
        recent.every((share) => share > 1 - 1 / Math.E && share < 0.76),
      ),
      claim(
        `noise is left to ${calm.map(shown).join(', ')}: √((1 - β) / (1 + β)) is ${expected.map(shown).join(', ')}`,
        calm.every((share, i) => Math.abs(share / expected[i]! - 1) < 0.1),
      ),
      claim(
        `a ramp is followed ${delays.map(shown).join(', ')} steps late: β / (1 - β)`,
        delays.every((delay, i) => Math.abs(delay - betas[i]! / (1 - betas[i]!)) < 1e-3),
      ),
      claim(
        `at β = ${slow} the first mean is ${shown(raw[0]!)} where ${shown(measured[0]!)} was measured; corrected it is ${shown(mended[0]!)}`,
        raw[0]! < 0.03 * measured[0]! && Math.abs(mended[0]! - measured[0]!) < 1e-9,
      ),
      claim(
        `values that stay at 10 have a corrected mean of 10 from the first on: off by ${shown(worst(steady, Array<number>(50).fill(10)))}`,
        worst(steady, Array<number>(50).fill(10)) < 1e-12,
      ),
      claim(
        `without correction the mean is ${shown(100 * gap(9))} % too low on day 10, ${shown(100 * gap(days - 1))} % on day ${days}`,
        gap(9) > 0.5 && gap(days - 1) < 0.05,
      ),
    ],
    svg: draw('Exponentially weighted means of a noisy season', {
      marginRight: 90,
      x: { label: 'day', labelAnchor: 'center', labelArrow: 'none', domain: [0, days] },
      y: { label: null, grid: true, domain: [0, 36] },
      color: { domain: named.map(({ line }) => line), range: ['#97bbf5', '#4269d0', '#c23b22', '#c23b22'] },
      marks: [
        Plot.text(['temperature'], { frameAnchor: 'top-left', lineAnchor: 'bottom', dy: -8, fill: '#666' }),
        Plot.dot(measured, { x: (_, i: number) => i, y: (y: number) => y, r: 1.6, fill: '#bbb' }),
        Plot.lineY(points, {
          x: 'x',
          y: 'y',
          stroke: 'line',
          strokeWidth: 1.6,
        }),
        Plot.lineY(raw, { x: (_, i: number) => i, stroke: '#c23b22', strokeDasharray: '5 4' }),
        Plot.text(named, {
          x: 'x',
          y: 'y',
          text: 'line',
          fill: 'line',
          textAnchor: 'start',
          dx: 4,
          stroke: 'white',
          strokeWidth: 4,
        }),
      ],
    }),
  }
}
