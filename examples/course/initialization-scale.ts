import * as t from '@tapeflow/autodiff'
import { glorotNormal, type Initializer, linear, mse, sequential, tanh } from '@tapeflow/nn'
import { adam } from '@tapeflow/optim'
import { descend, rms } from './descend.ts'
import { lines, type Point } from './draw.ts'
import { claim, type Lesson, shown } from './lesson.ts'
import { rings } from './samples.ts'

const width = 32
const depth = 8

/** Weights that are too small let signals die out; too large ones saturate what they go through. Neither learns. */
export function initializationScale(): Lesson {
  const { x, y } = rings(t.key(1), 32)
  const scaled =
    (deviation: number): Initializer =>
    (key, shape) =>
      t.normal(key, shape, 0, deviation)
  const run = (line: string, weight: Initializer) => {
    const hidden = Array.from({ length: depth - 1 }, () =>
      sequential(linear(width, width, { weight }), tanh()),
    )
    const model = sequential(linear(2, width, { weight }), tanh(), ...hidden, linear(width, 1, { weight }))
    const start = model.init(t.key(2), [2])
    const outputs: t.Tensor[] = []
    model.apply(start.params, start.state, x, {
      training: false,
      path: '',
      tap: (path, y) => {
        if (path === 'layers.1' || /^layers\.\d+\.layers\.1$/.test(path)) outputs.push(y)
      },
    })
    const points: Point[] = outputs.map((y, i) => ({ line, x: i + 1, y: rms(y) }))
    const last = outputs.at(-1)!.toFloat32Array()
    const { losses } = descend(model, start, {
      x,
      y,
      loss: mse(),
      optimizer: adam({ learningRate: 0.003 }),
      steps: 100,
    })
    return {
      points,
      saturated: last.filter((a) => Math.abs(a) > 0.99).length / last.length,
      loss: losses.at(-1)!,
    }
  }
  const [small, large, right] = [
    run('deviation 0.01', scaled(0.01)),
    run('deviation 2', scaled(2)),
    run('Glorot', glorotNormal),
  ]
  return {
    title: 'Too small, too large, right',
    claims: [
      claim(
        `at 0.01 the last activations are ${shown(small.points.at(-1)!.y)}`,
        small.points.at(-1)!.y < 1e-6,
      ),
      claim(
        `and the loss stays at ${shown(small.loss)}: that of saying the mean`,
        Math.abs(small.loss - 0.25) < 0.02,
      ),
      claim(`at 2 ${shown(100 * large.saturated)} % of them lie beyond 0.99`, large.saturated > 0.6),
      claim(
        `after 100 steps Glorot's weights are at a loss of ${shown(right.loss)}, large ones at ${shown(large.loss)}`,
        right.loss < 0.02 && right.loss < large.loss / 3,
      ),
    ],
    svg: lines(
      'Activations of tanh layers before training',
      [small, large, right].flatMap(({ points }) => points),
      {
        x: 'layer',
        y: 'root mean square',
        log: true,
      },
    ),
  }
}
