import * as t from '@tapeflow/autodiff'
import { glorotNormal, heNormal, type Initializer, linear, relu, sequential, tanh } from '@tapeflow/nn'
import { rms } from './descend.ts'
import { lines, type Point } from './draw.ts'
import { claim, type Lesson, shown } from './lesson.ts'

const width = 128
const depth = 20

/** Glorot's weights keep the size of what goes through tanh, He's through ReLU, which halves it: 20 layers on it is still there. */
export function preservedVariance(): Lesson {
  // Small enough for tanh to be nearly straight, which is what Glorot and Bengio assume: inputs of 1 are shrunk at first.
  const x = t.normal(t.key(1), [64, width], 0, 0.3)
  const run = (line: string, bent: typeof relu, weight: Initializer): Point[] => {
    const points: Point[] = [{ line, x: 0, y: rms(x) }]
    t.fold(x, Array(depth).keys(), (y, i) => {
      const layer = sequential(linear(width, width, { weight }), bent())
      const { params, state } = layer.init(t.foldIn(t.key(2), i), [width])
      const out = layer.apply(params, state, y, { training: false, path: '' }).y
      points.push({ line, x: i + 1, y: rms(out) })
      return out
    })
    return points
  }
  const glorot = run('tanh, Glorot', tanh, glorotNormal)
  const he = run('ReLU, He', relu, heNormal)
  const mixed = run('ReLU, Glorot', relu, glorotNormal)
  const half = run('tanh, half of Glorot', tanh, (key, shape, fanIn, fanOut) =>
    t.mul(glorotNormal(key, shape, fanIn, fanOut), 0.5),
  )
  // From the first layer on: what goes into it is no activation.
  const factor = (points: readonly Point[]): number => {
    const sizes = points.slice(1).map(({ y }) => y)
    return Math.max(...sizes) / Math.min(...sizes)
  }
  return {
    title: 'Twenty layers on',
    claims: [
      claim(
        `tanh with Glorot's weights: sizes within a factor of ${shown(factor(glorot))}`,
        factor(glorot) < 3,
      ),
      claim(`ReLU with He's: ${shown(factor(he))}`, factor(he) < 3),
      claim(`ReLU with Glorot's, which expect no halving: ${shown(factor(mixed))}`, factor(mixed) > 100),
      claim(`tanh with half of Glorot's: ${shown(factor(half))}`, factor(half) > 1e4),
    ],
    svg: lines('The size of activations through 20 layers', [...glorot, ...he, ...mixed, ...half], {
      x: 'layer',
      y: 'root mean square',
      log: true,
    }),
  }
}
