import * as t from '@tapeflow/autodiff'
import type { Element } from './loss-row.ts'

export type Numbers = readonly number[]
type Draw = (key: t.Key, rows: number) => t.Tensor

const width = 3

export const logits: Draw = (key, rows) => t.mul(t.normal(key, [rows, width]), 2)
export const shares: Draw = (key, rows) => t.uniform(key, [rows, width], 0.05, 0.95)
export const distributions: Draw = (key, rows) => t.softmax(t.normal(key, [rows, width]))
export const labels: Draw = (key, rows) => t.floor(t.uniform(key, [rows], 0, width))
export const oneHot: Draw = (key, rows) => t.oneHot(labels(key, rows), width)
export const bits: Draw = (key, rows) => t.bernoulli(key, [rows, width], 0.5)
export const signs: Draw = (key, rows) => t.sub(t.mul(bits(key, rows), 2), 1)
export const counts: Draw = (key, rows) => t.floor(t.uniform(key, [rows, width], 0, 5))
export const rates: Draw = (key, rows) => t.uniform(key, [rows, width], 0.1, 4)

export const total = (values: Numbers): number => values.reduce((a, b) => a + b, 0)
/** 0 where the share is 0, whatever it is a share of. */
export const times = (share: number, value: number): number => (share === 0 ? 0 : share * value)

export const elements =
  (loss: (x: number, z: number) => number, count: (z: number) => number = () => 1) =>
  (prediction: Numbers, target: Numbers): Element[] =>
    prediction.map((x, i) => [loss(x, target[i]!), count(target[i]!)])

export const row =
  (loss: (x: Numbers, z: Numbers) => number, count: (z: Numbers) => number = () => 1) =>
  (prediction: Numbers, target: Numbers): Element[] => [[loss(prediction, target), count(target)]]

export function logSoftmax(x: Numbers): number[] {
  const most = Math.max(...x)
  const rest = Math.log(total(x.map((value) => Math.exp(value - most))))
  return x.map((value) => value - most - rest)
}
export const logs = (p: Numbers): number[] => p.map(Math.log)
export const entropyAcross = (logarithms: Numbers, z: Numbers): number =>
  total(logarithms.map((value, k) => times(z[k]!, -value)))
export const smooth = (z: Numbers, s: number): number[] => z.map((share) => (1 - s) * share + s / z.length)
export const rowOf = ([label]: Numbers): number[] => [0, 1, 2].map((k) => (k === label ? 1 : 0))
export const mixture =
  (weights: Numbers) =>
  (z: Numbers): number =>
    total(z.map((share, k) => share * weights[k]!))

/** ln sigmoid(x), for x of any size. */
const logSigmoid = (x: number): number => Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x)))
export const binary = (x: number, z: number): number =>
  times(z, -logSigmoid(x)) + times(1 - z, -logSigmoid(-x))
export const binaryOf = (p: number, z: number): number =>
  times(z, -Math.log(p)) + times(1 - z, -Math.log1p(-p))
export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
export const between =
  (negative: number, positive: number) =>
  (z: number): number =>
    negative + z * (positive - negative)

export function logCosh(e: number): number {
  return Math.abs(e) < 1
    ? Math.log1p(2 * Math.sinh(e / 2) ** 2)
    : Math.abs(e) + Math.log1p(Math.exp(-2 * Math.abs(e))) - Math.LN2
}

export function cosine(u: Numbers, v: Numbers): number {
  const [a, b] = [Math.hypot(...u), Math.hypot(...v)]
  return a === 0 || b === 0 ? 0 : total(u.map((value, k) => (value / a) * (v[k]! / b)))
}

export function lead(f: Numbers, z: Numbers): number {
  const others = Math.max(...f.filter((_, k) => z[k] === 0))
  return Math.max(0, 1 + others - total(f.map((value, k) => times(z[k]!, value))))
}
