import * as t from '@tapeflow/autodiff'
import { adagrad, type Optimizer, rmsprop } from '@tapeflow/optim'
import { lines, type Point } from '../draw.ts'
import { claim, type Lesson, shown } from '../lesson.ts'
import { train } from './train.ts'

const [features, batch, steady, between, turns] = [4, 16, 600, 200, 6]
const steps = steady + between * turns

/** The true weights: they turn around at step 600, and then every 200 steps. */
const truthAt = (step: number): number =>
  step < steady || Math.floor((step - steady) / between) % 2 === 1 ? 1 : -1

/** Dense features of a linear regression. */
function samples(step: number): { readonly x: t.Tensor; readonly y: t.Tensor } {
  const x = t.normal(t.foldIn(t.key(1), step), [batch, features])
  const errors = t.normal(t.foldIn(t.key(2), step), [batch])
  return { x, y: t.add(t.mul(t.sum(x, { axis: 1 }), truthAt(step)), t.mul(errors, 0.5)) }
}

interface Run {
  /** The mean of learning rate / root of what the optimizer remembers of squares, before each step. */
  readonly rates: readonly number[]
  /** The mean distance of a weight from the truth. */
  readonly distances: readonly number[]
}

function run(optimizer: Optimizer<string>, rate: number): Run {
  const rates: number[] = []
  const distances: number[] = []
  const mean = (x: t.Tensor): number => t.scope(() => t.mean(x).item())
  train({
    optimizer,
    loss: (weights: t.Tensor, { x, y }: { x: t.Tensor; y: t.Tensor }) =>
      t.mean(t.square(t.sub(t.sum(t.mul(x, weights), { axis: 1 }), y))),
    start: t.zeros([features]),
    data: samples,
    steps,
    visit: ({ params, slots, step }) => {
      if (step > 0) rates.push(mean(t.div(rate, t.sqrt((slots.s ?? slots.v)!))))
      distances.push(mean(t.abs(t.sub(params, truthAt(step)))))
    },
  })
  return { rates, distances }
}

/** On dense data AdaGrad's rate goes to nothing; RMSProp forgets, and keeps one. */
export function vanishingRate(): Lesson {
  const growing = run(adagrad({ learningRate: 0.3 }), 0.3)
  const recent = run(rmsprop({ learningRate: 0.03, rho: 0.98 }), 0.03)
  const fall = ({ rates }: Run): number => rates[9]! / rates[steady - 1]!
  /** Steps until weights are learned anew, after each turn; at most all that there are. */
  const returns = ({ distances }: Run): number[] =>
    Array.from({ length: turns }, (_, i) => {
      const since = distances.slice(steady + i * between, steady + (i + 1) * between)
      const found = since.findIndex((distance) => distance < 0.2)
      return found < 0 ? between : found
    })
  const [slower, alike] = [returns(growing), returns(recent)]
  const at = (line: string, { rates }: Run): Point[] => rates.map((y, x) => ({ line, x: x + 1, y }))
  return {
    title: 'A rate that vanishes',
    claims: [
      claim(
        `on dense data AdaGrad's rate falls ${shown(fall(growing))}-fold from step 10 to ${steady}, RMSProp's does not: ${shown(recent.rates[9]!)} then, ${shown(recent.rates[steady - 1]!)} in the end`,
        fall(growing) > 2 && fall(recent) < 1.3,
      ),
      claim(
        `when the truth turns around, again and again, AdaGrad has learned it anew after ${slower.slice(0, -1).join(', ')} steps and the last time not within ${between}`,
        slower.every((steps, i) => i === 0 || steps > slower[i - 1]!) && slower.at(-1) === between,
      ),
      claim(`RMSProp after ${alike.join(', ')}`, Math.max(...alike) < 1.3 * Math.min(...alike)),
      claim(
        `the first time both need about as long: ${slower[0]} and ${alike[0]}`,
        Math.abs(slower[0]! / alike[0]! - 1) < 0.2,
      ),
    ],
    svg: lines(
      'Dense features; the true weights turn around at step 600, then every 200',
      [...at('AdaGrad', growing), ...at('RMSProp', recent)],
      { x: 'step', y: 'effective rate: the learning rate over the root of remembered squares', log: true },
    ),
  }
}
