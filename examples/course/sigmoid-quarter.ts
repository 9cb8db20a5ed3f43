import * as t from '@tapeflow/autodiff'
import { linear, relu, sequential, sigmoid, tanh } from '@tapeflow/nn'
import { normOf } from './descend.ts'
import { lines } from './draw.ts'
import { claim, type Lesson, shown } from './lesson.ts'

const width = 16
const activations = { sigmoid, tanh, relu }

/** Each sigmoid takes three quarters of a gradient or more, since its slope is 1/4 at most; ReLU passes it on where it is active. */
export function sigmoidQuarter(): Lesson {
  const depths = Array.from({ length: 10 }, (_, i) => i + 1)
  const x = t.uniform(t.key(1), [1, width], 0.1, 1)
  // Weights that only pass on, so that what is lost is lost in activations.
  const passing = { weight: (_: t.Key, shape: t.Shape) => t.eye(shape[0]!) }
  const points = Object.entries(activations).flatMap(([line, activation]) =>
    depths.map((depth) => {
      const blocks = Array.from({ length: depth }, () =>
        sequential(linear(width, width, passing), activation()),
      )
      const model = sequential(...blocks)
      const { params, state } = model.init(t.key(1), [width])
      const through = (x: t.Tensor): t.Tensor => model.apply(params, state, x, { training: true, path: '' }).y
      const given = t.ones([1, width])
      const share = normOf(t.vjp(through, x, given).gradients) / normOf(given)
      return { line, x: depth, y: share }
    }),
  )
  const of = (name: string): number[] => points.filter(({ line }) => line === name).map(({ y }) => y)
  const [ten, kept] = [of('sigmoid').at(-1)!, of('relu').at(-1)!]
  return {
    title: 'A quarter for each sigmoid',
    claims: [
      claim(
        `through n sigmoids no more than 0.25^n of a gradient comes back: ${shown(ten)} of it through 10`,
        of('sigmoid').every((share, i) => share <= 0.25 ** (i + 1)),
      ),
      claim(`through ten active ReLUs all of it does: ${shown(kept)}`, Math.abs(kept - 1) < 1e-6),
      claim(
        'tanh, whose slope is 1 at 0, lies between',
        of('tanh').every((share, i) => share > of('sigmoid')[i]! && share < of('relu')[i]!),
      ),
    ],
    svg: lines('What is left of a gradient', points, { x: 'layers', y: 'share of its norm', log: true }),
  }
}
