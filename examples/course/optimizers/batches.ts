import * as t from '@tapeflow/autodiff'
import { sgd } from '@tapeflow/optim'
import { lines, type Point } from '../draw.ts'
import { claim, type Lesson, shown } from '../lesson.ts'
import { shuffled } from './shuffled.ts'
import { train } from './train.ts'

const [samples, features, epochs, learningRate] = [64, 4, 20, 0.02]

interface Run {
  readonly kind: string
  readonly updates: number
  /** Updates of an epoch. */
  readonly each: number
  /** The loss of all samples before each update and after the last. */
  readonly losses: readonly number[]
}

/** Batch, stochastic and mini-batch descent: as many updates as there are batches, the noisier the smaller those are. */
export function batches(): Lesson {
  const x = t.normal(t.key(1), [samples, features])
  const truth = t.tensor([2, -1, 0.5, 1])
  const y = t.add(t.sum(t.mul(x, truth), { axis: 1 }), t.mul(t.normal(t.key(2), [samples]), 0.5))
  const loss = (weights: t.Tensor, { x, y }: { x: t.Tensor; y: t.Tensor }): t.Tensor =>
    t.mean(t.square(t.sub(t.sum(t.mul(x, weights), { axis: 1 }), y)))
  const run = (kind: string, size: number): Run => {
    const order = shuffled(t.key(3), samples, epochs)
    const measure = (weights: t.Tensor): number => t.scope(() => loss(weights, { x, y }).item())
    const losses: number[] = []
    let updates = 0
    const end = train({
      optimizer: sgd({ learningRate }),
      loss,
      start: t.zeros([features]),
      data: (step) => {
        updates++
        const rows = t.tensor(order.slice(step * size, (step + 1) * size))
        return { x: t.gather(x, rows), y: t.gather(y, rows) }
      },
      steps: order.length / size,
      visit: ({ params }) => losses.push(measure(params)),
    })
    return { kind, updates, each: samples / size, losses: [...losses, measure(end)] }
  }
  const runs = [run('batch', samples), run('mini-batches of 8', 8), run('stochastic', 1)]
  const [batch, mini, single] = runs as [Run, Run, Run]
  /** The share of updates after which the loss turns: rises after it fell, or falls after it rose. */
  const turns = ({ losses }: Run): number => {
    const signs = losses.slice(1).map((loss, i) => Math.sign(loss - losses[i]!))
    return signs.slice(1).filter((sign, i) => sign !== signs[i]!).length / (signs.length - 1)
  }
  const after = ({ losses, each }: Run, epoch: number): number => losses[epoch * each]!
  const points: Point[] = runs
    .toReversed()
    .flatMap(({ kind, each, losses }) => losses.map((y, i) => ({ line: kind, x: i / each, y })))
  return {
    title: 'Batch, stochastic and mini-batch descent',
    claims: [
      claim(
        `${epochs} epochs of ${samples} samples are ${batch.updates} updates by batch, ${single.updates} stochastic ones, ${mini.updates} by mini-batches of 8`,
        batch.updates === epochs &&
          single.updates === epochs * samples &&
          mini.updates === epochs * (samples / 8),
      ),
      claim(
        `the loss turns after ${shown(100 * turns(batch))} % of the updates by batch, ${shown(100 * turns(mini))} % by mini-batch, ${shown(100 * turns(single))} % of the stochastic ones`,
        turns(batch) === 0 && turns(mini) > 0 && turns(single) > turns(mini),
      ),
      claim(
        `at one rate, the loss after two epochs is ${shown(after(batch, 2))}, ${shown(after(mini, 2))} and ${shown(after(single, 2))}: more updates get further`,
        after(single, 2) < after(mini, 2) && after(mini, 2) < after(batch, 2),
      ),
    ],
    svg: lines('One linear regression, one rate, three sizes of batch', points, {
      x: 'epochs',
      y: 'loss of all samples',
      log: true,
    }),
  }
}
