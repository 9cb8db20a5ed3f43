import * as Plot from '@observablehq/plot'
import * as t from '@tapeflow/autodiff'
import { cosineDecay, join, type MachineEvent, machine, type Phase, sgd, warmup } from '@tapeflow/optim'
import { draw } from '../draw.ts'
import { claim, type Lesson, shown } from '../lesson.ts'
import { train } from './train.ts'

const [features, batch, steps, warmSteps] = [8, 4, 1150, 50]
const [window, patience, factor] = [50, 4, 0.3]

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length

/** Noisy samples of a linear function whose weights are all 1. */
function samples(step: number): { readonly x: t.Tensor; readonly y: t.Tensor } {
  const x = t.normal(t.foldIn(t.key(1), step), [batch, features])
  const errors = t.normal(t.foldIn(t.key(2), step), [batch])
  return { x, y: t.add(t.sum(x, { axis: 1 }), errors) }
}

/** The rate of a step is schedule times scale: a schedule goes on while a plateau lowers the scale. */
export function plateaus(): Lesson {
  const schedule = join(
    [warmup({ to: 0.1, steps: warmSteps }), cosineDecay({ from: 0.1, to: 0.05, steps: steps - warmSteps })],
    [warmSteps],
  )
  const optimizer = sgd({ learningRate: schedule })
  const control = machine({}, { hyperparameters: optimizer.hyperparameters })
  const phases: Phase[] = [control.state.phase]
  let patches = 0
  const send = (event: MachineEvent): void => {
    const made = control.send(event)
    patches += made.patches.length
    if (made.state.phase !== phases.at(-1)) phases.push(made.state.phase)
  }

  const rates: { readonly step: number; readonly rate: number; readonly scale: number }[] = []
  const cuts: number[] = []
  const distances: number[] = []
  let best = Number.POSITIVE_INFINITY
  let waited = 0
  let recent: number[] = []
  send({ type: 'warm' })
  train({
    optimizer,
    loss: (weights: t.Tensor, { x, y }: { x: t.Tensor; y: t.Tensor }) =>
      t.mean(t.square(t.sub(t.sum(t.mul(x, weights), { axis: 1 }), y))),
    start: t.zeros([features]),
    data: samples,
    steps,
    control: () => control.state,
    visit: ({ params, step, loss }) => {
      rates.push({
        step,
        rate: optimizer.hyper(step, control.state).learningRate as number,
        scale: control.state.rateScale,
      })
      distances.push(t.scope(() => t.sqrt(t.sum(t.square(t.sub(params, 1)))).item()))
      if (step === warmSteps) send({ type: 'steady' })
      // Four windows in a row whose mean losses are not below the best before are a plateau.
      recent.push(loss)
      if (recent.length < window) return
      const now = mean(recent)
      recent = []
      waited = now < best ? 0 : waited + 1
      best = Math.min(best, now)
      if (waited < patience) return
      send({ type: 'plateau' })
      send({ type: 'scaleRate', factor })
      send({ type: 'steady' })
      cuts.push(step)
      waited = 0
      best = Number.POSITIVE_INFINITY
    },
  })
  const moved = patches
  const off = Math.max(
    ...rates.map(({ step, rate, scale }) => Math.abs(rate / (schedule(step) * scale) - 1) || 0),
  )
  const ends = [...cuts, steps].map((step) => mean(distances.slice(step - 2 * window, step)))
  const lowered = rates.filter(({ scale }, i) => i > 0 && scale !== rates[i - 1]!.scale).length
  const state = control.state
  let refusal = ''
  try {
    control.send({ type: 'begin' })
  } catch (error) {
    refusal = (error as Error).message
  }
  const kept = control.state === state
  control.send({ type: 'setLearningRate', value: 0.5 })
  const overridden = optimizer.hyper(steps, control.state).learningRate
  control.send({ type: 'restore', state })
  const restored = optimizer.hyper(steps, control.state).learningRate

  const lines = [
    ...distances.map((y, x) => ({ line: 'distance from the true weights', x, y })),
    ...rates.map(({ step, rate }) => ({ line: 'rate', x: step, y: rate })),
  ].filter(({ y }) => y > 0)
  const plain = rates.map(({ step }) => ({ x: step, y: schedule(step) })).filter(({ y }) => y > 0)
  const events = [
    { x: warmSteps, text: 'steady' },
    ...cuts.map((x) => ({ x, text: `plateau: scaleRate ${factor}` })),
  ]
  const color = { 'distance from the true weights': '#999', rate: '#d9480f' }
  return {
    title: 'A schedule and plateaus',
    claims: [
      claim(
        `the machine goes ${phases.join(', ')}, in ${moved} patches`,
        phases.join(' ') === 'idle warmup steady plateau steady plateau steady' &&
          moved === phases.length - 1 + cuts.length,
      ),
      claim(
        `each of ${rates.length} rates is schedule times scale, which changes ${lowered} times, by ${factor} at steps ${cuts.join(' and ')}: off by ${shown(off)}`,
        off < 1e-12 && lowered === cuts.length,
      ),
      claim(
        `the distance from the true weights is ${ends.map(shown).join(', then ')}: noise that a rate keeps up goes where the rate does`,
        ends.every((end, i) => i === 0 || end < 0.75 * ends[i - 1]!),
      ),
      claim(
        `begin, when it is steady, is refused and changes nothing: “${refusal}”`,
        kept && refusal.startsWith("machine: 'begin' is not legal in this phase"),
      ),
      claim(
        `a rate set to ${String(overridden)} holds at once; restore takes it back to ${shown(restored as number)}`,
        overridden === 0.5 && restored === optimizer.hyper(steps, state).learningRate,
      ),
    ],
    svg: draw('The rate is schedule times scale', {
      marginTop: 76,
      marginRight: 20,
      x: { label: 'step', labelAnchor: 'center', labelArrow: 'none', domain: [0, steps] },
      y: {
        label: null,
        grid: true,
        type: 'log',
        tickFormat: (y: number) => String(y),
        ticks: 4,
        domain: [0.002, 4],
      },
      color: { domain: Object.keys(color), range: Object.values(color) },
      marks: [
        Plot.ruleX(events, { x: 'x', stroke: '#aaa', strokeDasharray: '3 3' }),
        Plot.text(events, {
          x: 'x',
          text: 'text',
          frameAnchor: 'top',
          textAnchor: 'middle',
          dy: -14,
          fill: '#666',
        }),
        Plot.line(lines, { x: 'x', y: 'y', stroke: 'line', strokeWidth: 1.5, clip: true }),
        Plot.line(plain, { x: 'x', y: 'y', stroke: '#d9480f', strokeDasharray: '4 4', clip: true }),
        Plot.text(
          [
            { x: 1060, y: 0.068, text: 'schedule' },
            { x: 620, y: 0.015, text: 'rate' },
            { x: 250, y: 1.4, text: 'distance from the true weights' },
          ],
          {
            x: 'x',
            y: 'y',
            text: 'text',
            fill: ({ text }: { text: string }) => (text.length > 10 ? '#777' : '#d9480f'),
          },
        ),
      ],
    }),
  }
}
