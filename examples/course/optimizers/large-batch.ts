import * as t from '@tapeflow/autodiff'
import { linear, mse, relu, sequential } from '@tapeflow/nn'
import { momentum, type Schedule, warmup } from '@tapeflow/optim'
import { lines, type Point } from '../draw.ts'
import { claim, type Lesson, shown } from '../lesson.ts'
import { median } from '../median.ts'
import { noisySine, type Samples } from '../samples.ts'
import { shuffled } from './shuffled.ts'
import { train } from './train.ts'

const [samples, epochs, width, noise] = [256, 60, 24, 0.1]
const small = { size: 8, rate: 0.005 }
const large = { size: 64, rate: 0.04 }
const warmSteps = 40
const seeds = [1, 2, 3, 4, 5]

// A bit larger than He's weights: at first the loss is steep.
const steep = (key: t.Key, shape: t.Shape): t.Tensor =>
  t.normal(key, shape, 0, 1.4 * Math.sqrt(2 / shape[0]!))

/** A batch of eight times the size takes eight times the rate, but not at once: the rate has to warm up. */
export function largeBatch(): Lesson {
  const data = noisySine(t.key(1), samples, noise)
  const layer = (inputs: number) => sequential(linear(inputs, width, { weight: steep }), relu())
  const model = sequential(layer(1), layer(width), layer(width), linear(width, 1))
  type Params = ReturnType<typeof model.init>['params']

  /** The loss of all samples before each epoch and after the last, of one seed. */
  const run = (size: number, learningRate: number | Schedule, seed: number): number[] =>
    t.scope(() => {
      const { params: start, state } = model.init(t.key(seed), [1])
      const order = shuffled(t.key(10 + seed), samples, epochs)
      const loss = (params: Params, { x, y }: Samples): t.Tensor =>
        mse()(model.apply(params, state, x, { training: true, path: '' }).y, y)
      const measure = (params: Params): number => t.scope(() => loss(params, data).item())
      const losses: number[] = []
      const end = train<Params, { x: t.Tensor; y: t.Tensor }>({
        optimizer: momentum({ learningRate }),
        loss,
        start,
        data: (step) => {
          const rows = t.tensor(order.slice(step * size, (step + 1) * size))
          return { x: t.gather(data.x, rows), y: t.gather(data.y, rows) }
        },
        steps: order.length / size,
        visit: ({ params, step }) => {
          if (step % (samples / size) === 0) losses.push(measure(params))
        },
      })
      return [...losses, measure(end)]
    })
  const runs = [
    { line: `${large.size} at ${large.rate}`, size: large.size, rate: large.rate },
    { line: `${large.size} at ${small.rate}`, size: large.size, rate: small.rate },
    { line: `${small.size} at ${small.rate}`, size: small.size, rate: small.rate },
    {
      line: `${large.size} at ${large.rate}, warmed up`,
      size: large.size,
      rate: warmup({ to: large.rate, steps: warmSteps }),
    },
  ].map(({ line, size, rate }) => {
    const all = seeds.map((seed) => run(size, rate, seed))
    // A loss that is no number is as bad as can be.
    const at = (epoch: number): number[] =>
      all.map((losses) => losses[epoch]!).map((x) => (Number.isNaN(x) ? Infinity : x))
    return {
      line,
      ends: at(epochs),
      medians: Array.from({ length: epochs + 1 }, (_, epoch) => median(at(epoch))),
    }
  })
  const [cold, timid, few, warm] = runs.map(({ medians }) => medians.at(-1)!) as [
    number,
    number,
    number,
    number,
  ]
  const points: Point[] = runs.flatMap(({ line, medians }) => medians.map((y, x) => ({ line, x, y })))
  const worst = (run: number): number => Math.max(...runs[run]!.ends)
  const spread = t.scope(() => t.square(t.std(data.y)).item())
  return {
    title: 'Large batches, and warming up',
    claims: [
      claim(
        `batches of ${small.size} at a rate of ${small.rate} get to ${shown(few)} in ${epochs} epochs, those of ${large.size} at that rate to ${shown(timid)}: they have an eighth of the updates`,
        timid > 1.4 * few,
      ),
      claim(
        `at eight times the rate these end at ${shown(cold)}; saying the mean gets ${shown(spread)}`,
        cold > 0.95 * spread,
      ),
      claim(
        `with the rate warmed up in ${warmSteps} steps they get to ${shown(warm)}, the worst of ${seeds.length} seeds to ${shown(worst(3))}`,
        warm < 1.1 * few && worst(3) < timid,
      ),
    ],
    svg: lines('Size of batches and rate; the median of 5 seeds', points, {
      x: 'epochs',
      y: 'loss of all samples',
      log: true,
    }),
  }
}
