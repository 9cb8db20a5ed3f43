import * as t from '@tapeflow/autodiff'
import { linear, mse, relu, sequential } from '@tapeflow/nn'
import { adam } from '@tapeflow/optim'
import { descend, predict } from './descend.ts'
import { lines, type Point } from './draw.ts'
import { claim, type Lesson, shown } from './lesson.ts'
import { median } from './median.ts'
import { noisySine } from './samples.ts'

const width = 24
const seeds = [1, 2, 3]

/** One layer bends too little, eight fit the noise: what deeper nets gain on few samples they lose on new ones. */
export function depthAndOverfitting(): Lesson {
  const train = noisySine(t.key(1), 16, 0.4)
  const fresh = noisySine(t.key(2), 200, 0.4)
  const points: Point[] = [1, 2, 3, 4, 5, 6, 7, 8].flatMap((depth) => {
    const runs = seeds.map((seed) => {
      const hidden = Array.from({ length: depth - 1 }, (_, i) =>
        sequential(linear(i === 0 ? 1 : width, width), relu()),
      )
      const model = sequential(...hidden, linear(depth === 1 ? 1 : width, 1))
      const end = descend(model, model.init(t.key(seed), [1]), {
        ...train,
        loss: mse(),
        optimizer: adam({ learningRate: 0.01 }),
        steps: 400,
      })
      return [train, fresh].map(({ x, y }) => mse()(predict(model, end, x), y).item())
    })
    return ['training', 'new samples'].map((line, i) => ({
      line,
      x: depth,
      y: median(runs.map((run) => run[i]!)),
    }))
  })
  const at = (line: string): number[] => points.filter((point) => point.line === line).map(({ y }) => y)
  const [learned, unseen] = [at('training'), at('new samples')]
  const gap = (i: number): number => unseen[i]! - learned[i]!
  const deep = [3, 4, 5, 6, 7].reduce((sum, i) => sum + gap(i), 0) / 5
  return {
    title: 'Depth, and overfitting',
    claims: [
      claim(
        `one layer is a line: its loss on training stays at ${shown(learned[0]!)}, that of three is ${shown(learned[2]!)}`,
        learned[2]! < learned[0]! / 3,
      ),
      claim(
        `a fourth layer gains on training, ${shown(learned[3]!)}, and loses on new samples: ${shown(unseen[3]!)} after ${shown(unseen[2]!)}`,
        learned[3]! < learned[2]! && unseen[3]! > unseen[2]!,
      ),
      claim(
        `two layers are ${shown(gap(1))} worse on new samples, four to eight ${shown(deep)} on average`,
        deep > 1.3 * gap(1),
      ),
      claim(
        `the noise alone is 0.16: those are below it on training, and above it on new samples`,
        learned.slice(3).every((loss) => loss < 0.16) && unseen.slice(3).every((loss) => loss > 0.16),
      ),
    ],
    svg: lines('16 noisy samples of a sine, nets of 1 to 8 layers', points, {
      x: 'layers',
      y: 'mean squared error',
      log: true,
    }),
  }
}
