import * as Plot from '@observablehq/plot'
import * as t from '@tapeflow/autodiff'
import { linear, mse, sequential, tanh } from '@tapeflow/nn'
import { adam } from '@tapeflow/optim'
import { descend, predict } from './descend.ts'
import { draw } from './draw.ts'
import { claim, type Lesson, shown } from './lesson.ts'
import { rings } from './samples.ts'

/** No line separates a ring from its inside; the features that a net learns can be separated by one. */
export function learnedFeatures(): Lesson {
  const { x, y } = rings(t.key(1), 100)
  const truth = y.toFloat32Array()
  const rightOf = (output: t.Tensor): number =>
    output.toFloat32Array().filter((value, i) => value > 0.5 === (truth[i] === 1)).length / truth.length
  const how = { x, y, loss: mse(), optimizer: adam({ learningRate: 0.02 }), steps: 400 }

  const line = linear(2, 1)
  const straight = rightOf(predict(line, descend(line, line.init(t.key(2), [2]), how), x))

  const features = sequential(linear(2, 16), tanh(), linear(16, 2), tanh())
  const model = sequential(features, linear(2, 1))
  const end = descend(model, model.init(t.key(2), [2]), how)
  const right = rightOf(predict(model, end, x))
  const latent = predict(features, { params: end.params.layers[0], state: end.state.layers[0] }, x)

  const rows = (of: t.Tensor, space: string) =>
    (of.toArray() as number[][]).map(([x, y], i) => ({ space, x: x!, y: y!, ring: truth[i] === 1 }))
  const points = [...rows(x, 'input'), ...rows(latent, 'learned features')]
  // Where the last layer says 0.5: a x + b y + c = 0.5.
  const [[a], [b]] = end.params.layers[1].weight.toArray() as [[number], [number]]
  const [c] = end.params.layers[1].bias.toArray() as [number]
  const border = [-1, 1].map((x) => ({ space: 'learned features', x, y: (0.5 - c - a * x) / b }))
  const inside = border.map(({ x, y }) => ({ x, y }))
  return {
    title: 'Features that are learned',
    claims: [
      claim(`the best line on Cartesian coordinates gets ${shown(100 * straight)} % right`, straight < 0.8),
      claim(
        `a line on two learned features gets ${shown(100 * right)} %`,
        right === 1 && inside.length === 2,
      ),
    ],
    svg: draw('Rings, before and behind two learned features', {
      width: 760,
      marginTop: 80,
      x: { label: null, domain: [-3.2, 3.2] },
      y: { label: null, domain: [-3.2, 3.2], grid: true },
      fx: { label: null, domain: ['input', 'learned features'] },
      marks: [
        Plot.dot(points, {
          fx: 'space',
          x: 'x',
          y: 'y',
          r: 2.5,
          fill: ({ ring }: { ring: boolean }) => (ring ? '#4269d0' : '#efb118'),
        }),
        Plot.lineY(border, { fx: 'space', x: 'x', y: 'y', stroke: '#333', clip: true }),
      ],
    }),
  }
}
