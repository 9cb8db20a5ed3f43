import * as t from '@tapeflow/autodiff'
import { adagrad, type Optimizer, sgd } from '@tapeflow/optim'
import { lines, type Point } from '../draw.ts'
import { claim, type Lesson, shown } from '../lesson.ts'
import { train } from './train.ts'

const [features, batch, steps, noise] = [8, 64, 60, 0.1]

/** What a step sees: one-hot rows `[batch, features]`, targets `[batch]`, and how often each feature is there. */
interface Words {
  readonly rows: t.Tensor
  readonly y: t.Tensor
  readonly counts: readonly number[]
}

const truth = Array.from({ length: features }, (_, k) => (k % 2 === 0 ? 1 : -1))

/** Feature k is that of about one sample in 2^(k + 1), as words are in a text. */
function words(step: number): Words {
  const drawn = t.uniform(t.foldIn(t.key(1), step), [batch]).toFloat32Array()
  const feature = Array.from(drawn, (u) => Math.min(features - 1, Math.floor(-Math.log2(1 - u))))
  const errors = t.normal(t.foldIn(t.key(2), step), [batch]).toFloat32Array()
  return {
    rows: t.tensor(feature.map((at) => truth.map((_, k) => (k === at ? 1 : 0)))),
    y: t.tensor(feature.map((at, i) => truth[at]! + noise * errors[i]!)),
    counts: truth.map((_, k) => feature.filter((at) => at === k).length),
  }
}

interface Learned {
  readonly rate: number
  /** How far each weight is from the truth, which is 1 or -1, before each step and after the last. */
  readonly left: readonly (readonly number[])[]
  /** AdaGrad's sums of squares at the end. */
  readonly squares: readonly number[]
}

function learn(optimizer: Optimizer<string>, rate: number): Learned {
  const distances = (weights: t.Tensor): number[] =>
    Array.from(weights.toFloat32Array(), (w, k) => Math.abs(truth[k]! - w))
  const left: number[][] = []
  let squares: number[] = []
  const end = train({
    optimizer,
    loss: (weights: t.Tensor, { rows, y }: { rows: t.Tensor; y: t.Tensor }) =>
      t.mean(t.square(t.sub(t.sum(t.mul(rows, weights), { axis: 1 }), y))),
    start: t.zeros([features]),
    data: (step) => {
      const { rows, y } = words(step)
      return { rows, y }
    },
    steps,
    visit: ({ params, slots }) => {
      left.push(distances(params))
      squares = Array.from(slots.s?.toFloat32Array() ?? [])
    },
  })
  return { rate, left: [...left, distances(end)], squares }
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
const mean = (values: readonly number[]): number => sum(values) / values.length

/** A feature that is rarely there has few gradients: AdaGrad gives it the rate that sgd has to keep small for those often there. */
export function sparseFeatures(): Lesson {
  const counts = [...Array(steps).keys()]
    .map((step) => t.scope(() => words(step).counts))
    .reduce((total, now) => now.map((count, k) => count + total[k]!))
  const rates = [0.03, 0.1, 0.3, 1, 1.5, 1.9]
  const error = ({ left }: Learned): number => sum(left.at(-1)!.map((x) => x * x))
  const sweep = (make: (learningRate: number) => Optimizer<string>): Learned[] =>
    rates.map((rate) => learn(make(rate), rate)).toSorted((a, b) => error(a) - error(b))
  const plain = sweep((learningRate) => sgd({ learningRate }))[0]!
  const scaled = sweep((learningRate) => adagrad({ learningRate }))[0]!
  const rarest = (left: readonly number[]): number => mean(left.slice(-3))
  const common = (left: readonly number[]): number => mean(left.slice(0, 3))
  const until = ({ left }: Learned, of: (left: readonly number[]) => number): number =>
    left.findIndex((now) => of(now) < 0.5)
  const favour = Math.sqrt(scaled.squares[0]! / scaled.squares.at(-1)!)
  const points = (name: string, { left }: Learned): Point[] =>
    left.flatMap((now, x) => [
      { line: `${name}, common`, x, y: common(now) },
      { line: `${name}, rare`, x, y: rarest(now) },
    ])
  const [slow, fast] = [until(plain, rarest), until(scaled, rarest)]
  return {
    title: 'Rare features',
    claims: [
      claim(
        `of ${steps * batch} samples ${counts[0]} have the most common feature, ${counts.slice(-3).join(', ')} the three rarest`,
        counts[0]! > 20 * Math.max(...counts.slice(-3)),
      ),
      claim(
        `each at the best of ${rates.length} rates, ${plain.rate} and ${scaled.rate}, sgd ends with a squared error of the weights of ${shown(error(plain))}, AdaGrad with ${shown(error(scaled))}`,
        error(scaled) < error(plain) / 4,
      ),
      claim(
        `half of the three rarest weights is learned after ${slow} steps of sgd, ${fast} of AdaGrad`,
        fast > 0 && (slow < 0 || slow > 3 * fast),
      ),
      claim(
        `in the end AdaGrad's rate of the rarest feature is ${shown(favour)} times that of the most common`,
        favour > 2,
      ),
    ],
    svg: lines(
      'One-hot features, common and rare, each optimizer at its best rate',
      [...points('sgd', plain), ...points('AdaGrad', scaled)],
      {
        x: 'step',
        y: 'mean distance from the true weight',
      },
    ),
  }
}
