import * as t from '@tapeflow/autodiff'
import { activation, linear, mse, relu, type SizePreserving, sequential } from '@tapeflow/nn'
import { sgd } from '@tapeflow/optim'
import { descend } from './descend.ts'
import { lines, type Point } from './draw.ts'
import { claim, type Lesson, shown } from './lesson.ts'
import { noisySine } from './samples.ts'

const width = 32
const steps = 120

/** A ReLU that is negative for all samples gets no gradient, and so stays: too large a rate or bias puts it there. */
export function dyingRelu(): Lesson {
  const { x, y } = noisySine(t.key(1), 64, 0.1)
  const rectified = (bias: number, slope: number) => {
    const bent: SizePreserving<null, null> =
      slope === 0 ? relu() : activation('leakyRelu', (x) => t.leakyRelu(x, slope))
    const hidden = linear(1, width, { bias: (_, shape) => t.full(shape, bias) })
    return sequential(hidden, bent, linear(width, 1))
  }
  const run = (line: string, learningRate: number, bias = 0, slope = 0) => {
    const model = rectified(bias, slope)
    const start = model.init(t.key(3), [1])
    const points: Point[] = []
    const norms: number[] = []
    const { params } = descend(model, start, {
      x,
      y,
      loss: mse(),
      optimizer: sgd({ learningRate }),
      steps,
      visit: ({ params, gradients, step }) => {
        const { weight, bias } = params.layers[0]
        // Dead: below 0 for every sample there is.
        const active = t.max(t.linear(x, weight, bias), { axis: 0 }).toFloat32Array()
        points.push({ line, x: step, y: active.filter((value) => value <= 0).length / width })
        norms.push(Math.max(...t.abs(gradients.layers[0].weight).toFloat32Array()))
      },
    })
    const moved = t.max(t.abs(t.sub(params.layers[0].weight, start.params.layers[0].weight))).item()
    return { points, dead: points.at(-1)!.y, largest: Math.max(...norms), moved }
  }
  const gentle = run('rate 0.05', 0.05)
  const rough = run('rate 1', 1)
  const low = run('bias -10', 0.005, -10)
  const leaky = run('leaky, bias -10', 0.005, -10, 0.1)
  return {
    title: 'Dying ReLU',
    claims: [
      claim(
        `at a rate of 0.05 ${shown(gentle.dead * width)} of ${width} units are dead at the end`,
        gentle.dead < 0.1,
      ),
      claim(`at 1 ${shown(rough.dead * width)} are`, rough.dead > 0.5),
      claim(
        `with a bias of -10 all are from the start; their weights move by ${shown(low.moved)} in ${steps} steps`,
        low.dead === 1 && low.moved === 0 && low.largest === 0,
      ),
      claim(`leaky ones have a gradient there: ${shown(leaky.moved)}`, leaky.moved > 1e-3),
    ],
    svg: lines(
      'Dead units: below 0 for every sample',
      [gentle, rough, low].flatMap(({ points }) => points),
      { x: 'step', y: 'share of the units' },
    ),
  }
}
