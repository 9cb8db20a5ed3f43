import * as t from '@tapeflow/autodiff'
import { checkGradient } from '@tapeflow/autodiff/testing'
import type { Applied, Context, Layer } from '@tapeflow/nn'
import { loadModel, toModelFile } from '@tapeflow/nn/model'
import { expect } from 'vitest'
import type { LayerRow } from './layer-row.ts'

const rows = 3
const seeds = [1, 2]
const inference: Context = { training: false, path: '' }

function inputOf({ sample, input = t.normal }: LayerRow, seed: number, count = rows): t.Tensor {
  return input(t.foldIn(t.key(seed), 'input'), [count, ...sample])
}

/** Parameters of another size than those it begins with, so that biases of zero and scales of one show. */
function made({ layer, sample }: LayerRow, seed: number): ReturnType<LayerRow['layer']['init']> {
  const { params, state, outputShape } = layer.init(t.key(seed), sample)
  let place = 0
  const moved = t.mapTensors(params, (x: t.Tensor) => {
    const noise = t.normal(t.foldIn(t.key(seed), ++place), x.shape)
    return t.add(x, t.mul(noise, 0.3))
  })
  return { params: moved, state, outputShape }
}

function contexts(seed: number): Context[] {
  return [inference, { training: true, path: '', key: t.foldIn(t.key(seed), 'pass') }]
}

/** What `init` says of shapes is so, for any number of rows, run and recorded. */
export function shapesAreAsInitSays(row: LayerRow): void {
  shapesOfAre(row.layer, row)
}

// Generic, so that trees have types: those of a layer of unknown ones are unknown.
function shapesOfAre<P, S>(layer: Layer<P, S>, row: LayerRow): void {
  const { params, state, outputShape } = layer.init(t.key(1), row.sample)
  const paramShapes = t.mapTensors<P, t.Shape>(params, ({ shape }) => shape)
  const stateShapes = t.mapTensors<S, t.Shape>(state, ({ shape }) => shape)
  for (const ctx of contexts(1)) {
    const pass = (params: P, state: S, x: t.Tensor): Applied<S> => layer.apply(params, state, x, ctx)
    for (const count of [1, 4]) {
      const x = inputOf(row, 1, count)
      const { y, state: after } = pass(params, state, x)
      expect(y.shape).toEqual([count, ...outputShape])
      expect(t.mapTensors<S, t.Shape>(after, ({ shape }) => shape)).toEqual(stateShapes)
      const wanted = { y: y.shape, state: stateShapes }
      expect(t.evalShape(pass, paramShapes, stateShapes, x.shape)).toEqual(wanted)
    }
  }
}

/** What comes out is what the definition says. */
export function outputIsAsDefined(row: LayerRow): void {
  const { reference } = row
  if (reference === undefined) return
  for (const seed of seeds) {
    const { params, state } = made(row, seed)
    const x = inputOf(row, seed)
    const plain = t.mapTensors(params, (p: t.Tensor) => p.toArray())
    const wanted = reference(plain, [...x.toFloat32Array()], x.shape)
    const found = row.layer.apply(params, state, x, inference).y.toFloat32Array()
    expect(found.length).toBe(wanted.length)
    const most = wanted.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-3)
    for (const [i, value] of found.entries()) expect(Math.abs(value - wanted[i]!)).toBeLessThan(2e-5 * most)
  }
}

/** Gradients of parameters and input equal difference quotients in float64, at inference and while it trains. */
export function gradientsAreRight(row: LayerRow): void {
  const { params, state } = made(row, 1)
  const x = inputOf(row, 1)
  const fixed = row.differentiable === false ? ['x'] : []
  for (const ctx of contexts(1)) {
    const f = (at: { params: unknown; x: t.Tensor }): t.Tree => row.layer.apply(at.params, state, at.x, ctx).y
    const { compared, kinks, message } = checkGradient(f, { params, x }, { limit: 24, fixed })
    if (compared > 0 || kinks > 0) expect(message).toBe('')
  }
}

/** Second derivatives too: gradients of a gradient. */
export function secondDerivativesAreRight(row: LayerRow): void {
  const { params, state } = made(row, 2)
  const x = inputOf(row, 2, 2)
  const loss = (params: unknown, x: t.Tensor): t.Tensor =>
    t.sum(t.sin(row.layer.apply(params, state, x, inference).y))
  const ofParams = t.grad(loss)
  const ofInput = t.grad((x: t.Tensor, params: unknown) => loss(params, x))
  const isFree = row.differentiable !== false
  const gradients = (at: { params: unknown; x: t.Tensor }): t.Tree => [
    t.leaves(ofParams(at.params, at.x)),
    isFree ? ofInput(at.x, at.params) : null,
  ]
  const { compared, message } = checkGradient(
    gradients,
    { params, x },
    { limit: 8, fixed: isFree ? [] : ['x'], tolerance: 3e-3 },
  )
  if (compared > 0) expect(message).toBe('')
}

/** Compiled it gives the bits that it gives eagerly, with gradients. */
export function compiledGivesTheSameBits(row: LayerRow): void {
  const { params, state } = made(row, 1)
  for (const training of [false, true]) {
    const pass = (params: unknown, state: unknown, x: t.Tensor, key: t.Key): readonly t.Tensor[] => {
      const ctx = { training, path: '', key }
      const loss = (at: unknown): t.Tensor => t.sum(t.square(row.layer.apply(at, state, x, ctx).y))
      const { y, state: after } = row.layer.apply(params, state, x, ctx)
      return [y, ...t.leaves(after), ...t.leaves(t.grad(loss)(params))]
    }
    const compiled = t.compile(pass)
    for (const seed of seeds) {
      const [x, key] = [inputOf(row, seed), t.key(seed)]
      const wanted = t.toSnapshot(pass(params, state, x, key))
      expect(t.toSnapshot(compiled(params, state, x, key))).toEqual(wanted)
    }
    compiled.dispose()
  }
}

/** A row comes out the same whatever stands beside it: of a batch at inference, and in training unless it says that rows mix. */
export function rowsAreIndependent(row: LayerRow): void {
  const { params, state } = made(row, 1)
  const x = inputOf(row, 1)
  const apply = (batch: t.Tensor, ctx: Context): t.Tensor => row.layer.apply(params, state, batch, ctx).y
  const whole = apply(x, inference).toFloat32Array()
  for (let i = 0; i < rows; i++) {
    const one = apply(t.slice(x, i, i + 1), inference).toFloat32Array()
    const most = one.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-3)
    for (const [j, value] of one.entries()) {
      expect(Math.abs(value - whole[i * one.length + j]!)).toBeLessThan(1e-5 * most)
    }
  }
  if (row.rowsMix === true) return
  const other = t.concat([t.slice(x, 0, 1), t.slice(inputOf(row, 9), 1, rows)])
  const ctx = contexts(1)[1]!
  const size = whole.length / rows
  const first = (batch: t.Tensor): Float32Array => apply(batch, ctx).toFloat32Array().subarray(0, size)
  expect(first(other)).toEqual(first(x))
}

/** Mapped over several batches it gives what it gives for each. */
export function vmapAgreesWithALoop(row: LayerRow): void {
  const { params, state } = made(row, 1)
  const batches = seeds.map((seed) => inputOf(row, seed))
  for (const ctx of contexts(1)) {
    const apply = (x: t.Tensor): t.Tensor => row.layer.apply(params, state, x, { ...ctx }).y
    const mapped = t.vmap(apply)(t.stack(batches)).toFloat32Array()
    const looped = t.stack(batches.map(apply)).toFloat32Array()
    expect(mapped.length).toBe(looped.length)
    const most = looped.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-3)
    for (const [i, value] of mapped.entries()) expect(Math.abs(value - looped[i]!)).toBeLessThan(1e-5 * most)
  }
}

/** A pass leaves nothing in the heap but what it returns. */
export function nothingLeaks(row: LayerRow): void {
  const { params, state } = made(row, 1)
  const x = inputOf(row, 1)
  for (const ctx of contexts(1)) {
    const before = t.memory().tensors
    const { y, state: after } = row.layer.apply(params, state, x, ctx)
    const fresh = new Set(t.leaves([y, after]))
    for (const known of t.leaves([x, params, state])) fresh.delete(known)
    expect(t.memory().tensors - before).toBe(fresh.size)
    for (const one of fresh) one.dispose()
  }
}

/** The same key gives the same parameters and the same output, another key others. */
export function keysDecide(row: LayerRow): void {
  const { layer, sample } = row
  const [first, again] = [layer.init(t.key(1), sample), layer.init(t.key(1), sample)]
  const bits = (tree: unknown): unknown => t.toSnapshot(t.leaves(tree))
  expect(bits(first.params)).toEqual(bits(again.params))
  const x = inputOf(row, 1)
  for (const ctx of contexts(1)) {
    const pass = (): t.Tensor => layer.apply(first.params, first.state, x, ctx).y
    expect(bits(pass())).toEqual(bits(pass()))
  }
}

/** At inference the state stays the same object. */
export function inferenceKeepsTheState(row: LayerRow): void {
  const { params, state } = made(row, 1)
  expect(row.layer.apply(params, state, inputOf(row, 1), inference).state).toBe(state)
}

/** Saved in a file and loaded it is the same layer, bit for bit, at inference and while it trains, and saves to the same file. */
export function comesBackFromAFile(row: LayerRow): void {
  const { layer, sample } = row
  const { params, state } = made(row, 1)
  const save = (): Uint8Array => toModelFile(layer, { params, state, inputShape: sample })
  if (row.saved === false) {
    expect(save).toThrow('does not say what it was made from')
    return
  }
  const bytes = save()
  const loaded = loadModel(bytes)
  const x = inputOf(row, 1)
  for (const ctx of contexts(1)) {
    const wanted = layer.apply(params, state, x, ctx)
    const found = loaded.model.apply(loaded.params, loaded.state, x, ctx)
    expect(t.toSnapshot(t.leaves([found.y, found.state]))).toEqual(
      t.toSnapshot(t.leaves([wanted.y, wanted.state])),
    )
  }
  expect(loaded.predict(x).toFloat32Array()).toEqual(
    layer.apply(params, state, x, inference).y.toFloat32Array(),
  )
  expect(toModelFile(loaded.model, loaded)).toEqual(bytes)
}

/** Every law, by what it says. */
export const layerLaws: Readonly<Record<string, (row: LayerRow) => void>> = {
  'shapes are as init says': shapesAreAsInitSays,
  'what comes out is what the definition says': outputIsAsDefined,
  'gradients are right': gradientsAreRight,
  'second derivatives are right': secondDerivativesAreRight,
  'compiled it gives the same bits': compiledGivesTheSameBits,
  'rows are independent': rowsAreIndependent,
  'vmap agrees with a loop': vmapAgreesWithALoop,
  'nothing leaks': nothingLeaks,
  'keys decide': keysDecide,
  'inference keeps the state': inferenceKeepsTheState,
  'it comes back from a file': comesBackFromAFile,
}
