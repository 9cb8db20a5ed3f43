import * as t from '@tapeflow/autodiff'
import { batchNorm, type Initializer, linear, mse, relu, sequential } from '@tapeflow/nn'
import { sgd } from '@tapeflow/optim'
import { descend } from './descend.ts'
import { lines, type Point } from './draw.ts'
import { claim, type Lesson, shown } from './lesson.ts'
import { rings } from './samples.ts'

const width = 24
const steps = 60
const depth = 6

/** Batch norm fixes the size of what goes into each activation, whatever the weights are and become. */
export function batchNormStabilizes(): Lesson {
  const { x, y } = rings(t.key(1), 32)
  const bad: Initializer = (key, shape) => t.normal(key, shape, 0, 0.5)
  const normalised = Array.from({ length: depth }, () =>
    sequential(linear(width, width, { weight: bad }), batchNorm(), relu()),
  )
  const plain = Array.from({ length: depth }, () => sequential(linear(width, width, { weight: bad }), relu()))
  const withNorm = sequential(linear(2, width, { weight: bad }), ...normalised, linear(width, 1))
  const without = sequential(linear(2, width, { weight: bad }), ...plain, linear(width, 1))

  /** The standard deviation of what goes into the last ReLU, at each step. */
  const run = <P extends t.Tree, S>(
    line: string,
    model: Parameters<typeof descend<P, S>>[0],
    path: string,
    rate: number,
  ) => {
    const start = model.init(t.key(3), [2])
    const points: Point[] = []
    const { losses } = descend(model, start, {
      x,
      y,
      loss: mse(),
      optimizer: sgd({ learningRate: rate }),
      steps,
      visit: ({ params, step }) => {
        const tap = (at: string, value: t.Tensor): void => {
          if (at === path) points.push({ line, x: step, y: t.std(value).item() })
        }
        model.apply(params, start.state, x, { training: true, path: '', tap })
      },
    })
    const sizes = points.map(({ y }) => y)
    return { points, losses, from: Math.min(...sizes), to: Math.max(...sizes) }
  }
  const steady = run('batch norm, rate 0.05', withNorm, `layers.${depth}.layers.1`, 0.05)
  const wild = run('none, rate 0.001', without, `layers.${depth}.layers.0`, 1e-3)
  const burst = wild.points.findIndex(({ y }) => !(y < 1e6))
  return {
    title: 'Batch norm steadies activations',
    claims: [
      claim(
        `with it what goes into the last ReLU keeps a deviation of ${shown(steady.from)} to ${shown(steady.to)}`,
        steady.from > 0.5 && steady.to < 2,
      ),
      claim(
        `without it that begins at ${shown(wild.points[0]!.y)}, and at a fiftieth of the rate it is beyond a million at step ${burst}`,
        wild.points[0]!.y > 10 * steady.points[0]!.y && burst > 0,
      ),
      claim(
        `so that a rate of 0.05 serves: the loss falls from ${shown(steady.losses[0]!)} to ${shown(steady.losses.at(-1)!)}`,
        steady.losses.at(-1)! < steady.losses[0]! / 5,
      ),
    ],
    svg: lines('What goes into the last of six ReLUs', [...steady.points, ...wild.points.slice(0, burst)], {
      x: 'step',
      y: 'standard deviation over batch and units',
      log: true,
    }),
  }
}
