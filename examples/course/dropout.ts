import * as t from '@tapeflow/autodiff'
import { dropout, linear, mse, relu, sequential } from '@tapeflow/nn'
import { adam } from '@tapeflow/optim'
import { descend, predict } from './descend.ts'
import { lines, type Point } from './draw.ts'
import { claim, type Lesson, shown } from './lesson.ts'
import { noisySine } from './samples.ts'

const masks = 4000

/** Dropout keeps expectations, so that inference needs no correction; the more is dropped, the less noise is learned by heart. */
export function dropoutExpectation(): Lesson {
  const x = t.tensor([0.5, 1, 2, 4])
  const p = 0.3
  const layer = dropout(p)
  const rows = t.tile(t.reshape(x, [1, 4]), [masks, 1])
  const drawn = layer.apply(null, null, rows, { training: true, path: '', key: t.key(1) }).y
  const means = t.mean(drawn, { axis: 0 }).toFloat32Array()
  // A mean of n draws of x / (1 - p) or 0 has a standard error of x sqrt(p / (1 - p) / n).
  const errors = Array.from(
    x.toFloat32Array(),
    (value, i) => (means[i]! - value) / (value * Math.sqrt(p / (1 - p) / masks)),
  )
  const furthest = Math.max(...errors.map(Math.abs))

  const train = noisySine(t.key(2), 24, 0.4)
  const fresh = noisySine(t.key(3), 200, 0.4)
  const points: Point[] = [0, 0.1, 0.2, 0.35, 0.5, 0.8].flatMap((p) => {
    const model = sequential(linear(1, 64), relu(), linear(64, 64), relu(), dropout(p), linear(64, 1))
    const end = descend(model, model.init(t.key(4), [1]), {
      ...train,
      loss: mse(),
      optimizer: adam({ learningRate: 0.01 }),
      steps: 400,
    })
    return [
      { line: 'training', x: p, y: mse()(predict(model, end, train.x), train.y).item() },
      { line: 'new samples', x: p, y: mse()(predict(model, end, fresh.x), fresh.y).item() },
    ]
  })
  const gap = (i: number): number => points[2 * i + 1]!.y - points[2 * i]!.y
  const losses = points.filter(({ line }) => line === 'new samples').map(({ y }) => y)
  return {
    title: 'Dropout',
    claims: [
      claim(
        `of ${masks} masks at p = 0.3 the mean is x within ${shown(furthest)} standard errors`,
        furthest < 4,
      ),
      claim(
        `the gap between new samples and training falls from ${shown(gap(0))} to ${shown(gap(5))} as p goes from 0 to 0.8`,
        gap(5) < gap(0) / 2,
      ),
      claim(
        `new samples: ${shown(losses[0]!)} without it, ${shown(Math.min(...losses.slice(1)))} at the best p`,
        Math.min(...losses.slice(1)) < losses[0]!,
      ),
    ],
    svg: lines('A sweep of p on 24 noisy samples', points, {
      x: 'p, the probability of dropping',
      y: 'mean squared error',
    }),
  }
}
