import * as t from '@tapeflow/autodiff'
import { checkGradient } from '@tapeflow/autodiff/testing'
import type { Reduction } from '@tapeflow/nn'
import { assertCompiledEqualsEager } from '@tapeflow/property-tests'
import { expect } from 'vitest'
import type { LossRow } from './loss-row.ts'

const count = 4
const weights = [1, 0, 0.5, 3]
const reductions: readonly Reduction[] = ['mean', 'sum', 'none']

type Inputs = { readonly prediction: t.Tensor; readonly target: t.Tensor; readonly weights: t.Tensor }

function inputsOf(row: LossRow, seed: number): Inputs {
  const key = t.key(seed)
  return {
    prediction: row.prediction(t.foldIn(key, 'prediction'), count),
    target: row.target(t.foldIn(key, 'target'), count),
    weights: t.tensor(weights),
  }
}

function rowsOf(x: t.Tensor): number[][] {
  const values = [...x.toFloat32Array()]
  const width = values.length / x.shape[0]!
  return Array.from({ length: x.shape[0]! }, (_, i) => values.slice(i * width, (i + 1) * width))
}

/** The definition of every reduction, in float64. */
function wanted(
  { reference }: LossRow,
  prediction: readonly number[][],
  target: readonly number[][],
  weights: readonly number[],
  reduction: Reduction,
): number[] {
  const parts = prediction.map((x, i) => reference(x, target[i]!))
  const products = parts.map((row, i) => row.map(([loss, counts]) => ofWeight(weights[i]! * counts, loss)))
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
  const means = products.map((row) => sum(row) / row.length)
  if (reduction === 'none') return means
  if (reduction === 'sum') return [sum(means)]
  const all = sum(parts.flatMap((row, i) => row.map(([, counts]) => weights[i]! * counts)))
  return [sum(products.flat()) / all]
}

const ofWeight = (weight: number, loss: number): number => (weight === 0 ? 0 : weight * loss)

function expectClose(found: ArrayLike<number>, wanted: readonly number[], tolerance = 3e-6): void {
  expect(found.length).toBe(wanted.length)
  const most = wanted.filter(Number.isFinite).reduce((a, b) => Math.max(a, Math.abs(b)), 1)
  for (const [i, value] of Array.from(found).entries()) {
    if (Number.isFinite(wanted[i]!)) expect(Math.abs(value - wanted[i]!)).toBeLessThan(tolerance * most)
    else expect(value).toBe(wanted[i])
  }
}

/** What comes out is what the definition says, by every reduction, with weights and without. */
function valueIsAsDefined(row: LossRow): void {
  for (const seed of [1, 2, 3]) {
    const { prediction, target } = inputsOf(row, seed)
    const [x, z] = [rowsOf(prediction), rowsOf(target)]
    for (const reduction of reductions) {
      const loss = row.make({ reduction })
      const plain = loss(prediction, target)
      expect(plain.shape).toEqual(reduction === 'none' ? [count] : [])
      expectClose(plain.toFloat32Array(), wanted(row, x, z, [1, 1, 1, 1], reduction))
      const weighted = loss(prediction, target, t.tensor(weights))
      expectClose(weighted.toFloat32Array(), wanted(row, x, z, weights, reduction))
    }
  }
}

/** Gradients by all inputs that are variables equal difference quotients in float64, and so do gradients of gradients. */
function gradientsAreRight(row: LossRow): void {
  const fixed = row.fixed === true ? ['target'] : []
  for (const [reduction, limit] of [
    ['mean', 12],
    ['sum', 1],
    ['none', 2],
  ] as const) {
    const loss = row.make({ reduction })
    const f = (at: Inputs): t.Tensor => loss(at.prediction, at.target, at.weights)
    expect(checkGradient(f, inputsOf(row, 1), { fixed, limit }).message).toBe('')
  }
  const loss = row.make({ reduction: 'none' })
  const total = (at: Inputs): t.Tensor => t.sum(t.square(loss(at.prediction, at.target, at.weights)))
  const slopes = (at: Inputs): t.Tensor =>
    t.grad((x: t.Tensor) => total({ ...at, prediction: x }))(at.prediction)
  const second = checkGradient(slopes, inputsOf(row, 2), { fixed, limit: 3, tolerance: 3e-3 })
  if (second.compared > 0) expect(second.message).toBe('')
}

/** Compiled it gives the bits that it gives eagerly, with gradients. */
function compiledGivesTheSameBits(row: LossRow): void {
  for (const reduction of reductions) {
    const loss = row.make({ reduction })
    const f = ({ prediction, target, weights }: Inputs): t.Tree => {
      const total = (x: t.Tensor): t.Tensor => t.sum(loss(x, target, weights))
      return [loss(prediction, target), loss(prediction, target, weights), t.grad(total)(prediction)]
    }
    assertCompiledEqualsEager(f, inputsOf(row, 1), { others: inputsOf(row, 2) })
  }
}

/** Mapped over several batches it gives what it gives for each. */
function vmapAgreesWithALoop(row: LossRow): void {
  const loss = row.make({ reduction: 'mean' })
  const batches = [1, 2].map((seed) => inputsOf(row, seed))
  const [x, z, w] = [
    batches.map(({ prediction }) => prediction),
    batches.map(({ target }) => target),
    batches.map(({ weights }) => weights),
  ]
  const slope = (x: t.Tensor, z: t.Tensor, w: t.Tensor): t.Tensor =>
    t.grad((at: t.Tensor) => loss(at, z, w))(x)
  for (const f of [loss as typeof slope, slope]) {
    const mapped = t.vmap(f)(t.stack(x), t.stack(z), t.stack(w)).toFloat32Array()
    expectClose(mapped, [...t.stack(x.map((one, i) => f(one, z[i]!, w[i]!))).toFloat32Array()])
  }
}

/** At the ends it is what the definition says, and so is its gradient: never NaN, infinite only where the loss is. */
function extremesAreRight(row: LossRow): void {
  for (const [x, z] of row.extremes) {
    const [prediction, target] = one(x, z, row)
    const { value, gradients } = t.valueAndGrad((p: t.Tensor) => row.make({ reduction: 'sum' })(p, target))(
      prediction,
    )
    const at = (moved: readonly number[]): number => wanted(row, [[...moved]], [[...z]], [1], 'sum')[0]!
    expectClose([value.item()], [at(x)], 1e-5)
    for (const [k, slope] of gradients.toFloat32Array().entries()) {
      expect(slope).not.toBeNaN()
      if (!Number.isFinite(at(x))) continue
      expect(Number.isFinite(slope)).toBe(true)
      const step = Math.max(1e-4, 1e-7 * Math.abs(x[k]!))
      const above = (at(x.with(k, x[k]! + step)) - at(x)) / step
      const below = (at(x) - at(x.with(k, x[k]! - step))) / step
      // At kinks, and beside what is no probability, there is nothing to compare with.
      if (!(Math.abs(above - below) <= 1e-3 * Math.max(1, Math.abs(above)))) continue
      expect(Math.abs(slope - (above + below) / 2)).toBeLessThan(2e-3 * Math.max(1, Math.abs(above)))
    }
  }
}

function one(x: readonly number[], z: readonly number[], row: LossRow): [t.Tensor, t.Tensor] {
  const { rank } = row.target(t.key(1), 1)
  return [t.tensor([...x], [1, x.length]), rank === 1 ? t.tensor([...z]) : t.tensor([...z], [1, z.length])]
}

/** A row of weight 0 has no influence, whatever it holds: infinite losses among it. */
function weightZeroHasNoInfluence(row: LossRow): void {
  const { prediction, target, weights } = inputsOf(row, 1)
  for (const reduction of ['mean', 'sum'] as const) {
    const loss = row.make({ reduction })
    for (const [x, z] of row.extremes) {
      const [px, pz] = one(x, z, row)
      const [more, moreTarget] = [t.concat([prediction, px]), t.concat([target, pz])]
      const all = t.concat([weights, t.tensor([0])])
      const without = t.valueAndGrad((p: t.Tensor) => loss(p, target, weights))(prediction)
      const { value, gradients } = t.valueAndGrad((p: t.Tensor) => loss(p, moreTarget, all))(more)
      expectClose([value.item()], [without.value.item()], 1e-6)
      const wanted = [...without.gradients.toFloat32Array(), ...x.map(() => 0)]
      expectClose(gradients.toFloat32Array(), wanted, 1e-6)
    }
  }
}

/** Where all weights are 0 nothing counts, whatever the rows hold: the loss is 0, and so are its gradients. */
function weightsThatAreAllZeroGiveZero(row: LossRow): void {
  const { prediction, target } = inputsOf(row, 1)
  const none = t.zeros([count])
  const loss = (x: t.Tensor, z: t.Tensor, w: t.Tensor): t.Tensor => row.make({ reduction: 'mean' })(x, z, w)
  for (const [x, z, w] of [
    [prediction, target, none] as const,
    ...row.extremes.map(([x, z]) => [...one(x, z, row), t.zeros([1])] as const),
  ]) {
    const { value, gradients } = t.valueAndGrad(loss)(x, z, w)
    expect(value.item()).toBe(0)
    for (const slope of gradients.toFloat32Array()) expect(Math.abs(slope)).toBe(0)
  }
  const byWeights = t.grad((w: t.Tensor) => loss(prediction, target, w))(none)
  for (const slope of byWeights.toFloat32Array()) expect(slope).not.toBeNaN()
}

/** Nothing stays in the heap but what is returned. */
function nothingLeaks(row: LossRow): void {
  const { prediction, target, weights } = inputsOf(row, 1)
  for (const reduction of reductions) {
    for (const given of [undefined, weights]) {
      const before = t.memory().tensors
      const result = row.make({ reduction })(prediction, target, given)
      expect(t.memory().tensors).toBe(before + 1)
      result.dispose()
    }
  }
}

/** Every law, by what it says. */
export const lossLaws: Readonly<Record<string, (row: LossRow) => void>> = {
  'what comes out is what the definition says': valueIsAsDefined,
  'gradients are right, and gradients of gradients': gradientsAreRight,
  'compiled it gives the same bits': compiledGivesTheSameBits,
  'vmap agrees with a loop': vmapAgreesWithALoop,
  'it is right at the ends': extremesAreRight,
  'a row of weight 0 has no influence': weightZeroHasNoInfluence,
  'weights that are all 0 give 0, with gradients of 0': weightsThatAreAllZeroGiveZero,
  'nothing leaks': nothingLeaks,
}
