import * as t from '@tapeflow/autodiff'
import { lines, type Point } from './draw.ts'
import { claim, type Lesson, shown } from './lesson.ts'
import { rings } from './samples.ts'

const width = 8
const steps = 200
const rate = 0.1

type Params = { readonly w: readonly t.Tensor[]; readonly b: readonly t.Tensor[] }

/** A net of two hidden layers of tanh. */
function output({ w, b }: Params, x: t.Tensor): t.Tensor {
  const first = t.tanh(t.linear(x, w[0]!, b[0]!))
  const second = t.tanh(t.linear(first, w[1]!, b[1]!))
  return t.linear(second, w[2]!, b[2]!)
}

/** The output after each step of a descent whose rates differ by tensor. */
function trajectory(
  start: Params,
  rates: { readonly w: readonly number[]; readonly b: readonly number[] },
): number[][] {
  const { x, y } = rings(t.key(1), 16)
  const gradient = t.grad((params: Params) => t.mean(t.square(t.sub(output(params, x), y))))
  const outputs: number[][] = []
  t.fold(start, Array(steps).keys(), (params) => {
    outputs.push([...output(params, x).toFloat32Array()])
    const { w, b } = gradient(params)
    const moved = (of: readonly t.Tensor[], by: readonly t.Tensor[], rates: readonly number[]): t.Tensor[] =>
      of.map((x, i) => t.sub(x, t.mul(by[i]!, rate * rates[i]!)))
    return { w: moved(params.w, w, rates.w), b: moved(params.b, b, rates.b) }
  })
  return outputs
}

/** Units that start alike stay alike: a wide net of constant weights is a net of one unit a layer, at every step. */
export function constantInitialization(): Lesson {
  const weight = 0.4
  const zeros = (sizes: readonly number[]): t.Tensor[] => sizes.map((size) => t.zeros([size]))
  const wide: Params = {
    w: [t.full([2, width], weight), t.full([width, width], weight), t.full([width, 1], weight)],
    b: zeros([width, width, 1]),
  }
  // One unit stands for all of its layer: weights from it are the sum of theirs. What it gets back is the sum of what they get,
  // so that it moves at the nth part of their rate; its outgoing weights, a sum of n, move by n times theirs.
  const narrow: Params = {
    w: [t.full([2, 1], weight), t.full([1, 1], width * weight), t.full([1, 1], width * weight)],
    b: zeros([1, 1, 1]),
  }
  const same = { w: [1, 1, 1], b: [1, 1, 1] }
  const scaled = { w: [1 / width, 1, width], b: [1 / width, 1 / width, 1] }
  const [one, other] = [trajectory(wide, same), trajectory(narrow, scaled)]
  const random: Params = { ...wide, w: wide.w.map((w, i) => t.mul(t.normal(t.key(5 + i), w.shape), 0.5)) }
  const broken = trajectory(random, same)
  const { y } = rings(t.key(1), 16)
  const targets = y.toFloat32Array()
  const loss = (of: readonly number[]): number =>
    of.reduce((sum, value, i) => sum + (value - targets[i]!) ** 2, 0) / of.length
  const apart = Math.max(
    ...one.flatMap((at, step) => at.map((value, i) => Math.abs(value - other[step]![i]!))),
  )
  const moved = Math.max(...one.at(-1)!.map((value, i) => Math.abs(value - one[0]![i]!)))
  const points: Point[] = [
    ...one.map((at, x) => ({ line: `constant, ${width} a layer`, x, y: loss(at) })),
    ...broken.map((at, x) => ({ line: 'random', x, y: loss(at) })),
  ]
  return {
    title: 'Constant weights: one unit a layer',
    claims: [
      claim(`outputs of both nets differ by ${shown(apart)} at most in ${steps} steps`, apart < 1e-4),
      claim(`while they move by ${shown(moved)}`, moved > 0.1),
      claim(
        `random weights get to ${shown(loss(broken.at(-1)!))}, constant ones to ${shown(loss(one.at(-1)!))}`,
        loss(broken.at(-1)!) < loss(one.at(-1)!),
      ),
    ],
    svg: lines('Rings around discs: constant and random weights', points, { x: 'step', y: 'loss' }),
  }
}
