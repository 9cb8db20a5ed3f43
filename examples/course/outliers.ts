import * as Plot from '@observablehq/plot'
import * as t from '@tapeflow/autodiff'
import { huber, type Loss, linear, mse } from '@tapeflow/nn'
import { adam } from '@tapeflow/optim'
import { descend } from './descend.ts'
import { draw } from './draw.ts'
import { claim, type Lesson, shown } from './lesson.ts'

const [slope, intercept] = [2, 0.5]

/** A squared error follows outliers; Huber's, linear from delta on, is pulled by each with the same small force. */
export function outliers(): Lesson {
  const x = t.uniform(t.key(1), [60, 1], -1, 1)
  const clean = t.add(t.add(t.mul(x, slope), intercept), t.mul(t.normal(t.key(2), [60, 1]), 0.1))
  // Every tenth one far below, where x is large.
  const values = clean.toFloat32Array()
  const at = x.toFloat32Array()
  const moved = values.map((value, i) => (i % 5 === 0 && at[i]! > 0 ? value - 8 : value))
  const y = t.tensor(moved, [60, 1])
  const fit = (loss: Loss): { weight: number; bias: number } => {
    const model = linear(1, 1)
    const { params } = descend(model, model.init(t.key(3), [1]), {
      x,
      y,
      loss,
      optimizer: adam({ learningRate: 0.05 }),
      steps: 600,
    })
    return { weight: params.weight.item(), bias: params.bias.item() }
  }
  const fits = { 'mean squared error': fit(mse()), 'Huber, delta 0.3': fit(huber({ delta: 0.3 })) }
  const [squared, robust] = Object.values(fits) as [
    { weight: number; bias: number },
    { weight: number; bias: number },
  ]
  const points = Array.from(at, (x, i) => ({ x, y: moved[i]!, outlier: moved[i] !== values[i] }))
  const ends = Object.entries(fits).flatMap(([line, { weight, bias }]) =>
    [-1, 1].map((x) => ({ line, x, y: weight * x + bias })),
  )
  const count = points.filter(({ outlier }) => outlier).length
  return {
    title: 'Outliers',
    claims: [
      claim(
        `with ${count} outliers in 60, a squared error finds a slope of ${shown(squared.weight)}, which is ${slope}`,
        Math.abs(squared.weight - slope) > 0.3,
      ),
      claim(`Huber's loss finds ${shown(robust.weight)}`, Math.abs(robust.weight - slope) < 0.15),
    ],
    svg: draw('A line through samples with outliers', {
      marginRight: 140,
      x: { label: 'x', labelAnchor: 'center', labelArrow: 'none' },
      y: { label: null, grid: true },
      color: { scheme: 'Observable10' },
      marks: [
        Plot.dot(points, {
          x: 'x',
          y: 'y',
          r: 3,
          fill: ({ outlier }: { outlier: boolean }) => (outlier ? '#d33' : '#999'),
        }),
        Plot.lineY(ends, { x: 'x', y: 'y', stroke: 'line', strokeWidth: 2 }),
        Plot.text(
          ends,
          Plot.selectLast({
            x: 'x',
            y: 'y',
            z: 'line',
            text: 'line',
            fill: 'line',
            textAnchor: 'start',
            dx: 6,
          }),
        ),
      ],
    }),
  }
}
