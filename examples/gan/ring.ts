import * as t from '@tapeflow/autodiff'
import { type Batch, type Dataset, dataset } from '@tapeflow/data'

/** Eight small clouds of points on a circle: what a generator that collapses covers only in part. */
export const ring = { modes: 8, radius: 1, deviation: 0.05 }

/** The centres of the clouds. */
export const centres: readonly (readonly [x: number, y: number])[] = Array.from(
  { length: ring.modes },
  (_, i) => {
    const angle = (2 * Math.PI * i) / ring.modes
    return [ring.radius * Math.cos(angle), ring.radius * Math.sin(angle)]
  },
)

/** So many points of the ring, each labelled 1: they are real. */
export function realPoints(count: number, key: t.Key): Dataset<{ x: Batch; y: Batch }> {
  const values = t.normalValues(key, 2 * count)
  const x = Float32Array.from(values, (z, i) => centres[(i >> 1) % ring.modes]![i % 2]! + ring.deviation * z)
  return dataset({
    x: { shape: [count, 2], values: x },
    y: { shape: [count, 1], values: new Float32Array(count).fill(1) },
  })
}

/** How well points are spread over the clouds. */
export interface Spread {
  /** How many clouds have at least a quarter of their share. */
  readonly covered: number
  /** The share of points that are within three deviations of a centre. */
  readonly near: number
}

/** Judges points `[x0, y0, x1, y1, …]`. */
export function spreadOf(points: Float32Array): Spread {
  const count = points.length / 2
  const found = centres.map(() => 0)
  for (let i = 0; i < count; i++) {
    const distances = centres.map(([x, y]) => Math.hypot(points[2 * i]! - x, points[2 * i + 1]! - y))
    const nearest = Math.min(...distances)
    if (nearest <= 3 * ring.deviation) found[distances.indexOf(nearest)]!++
  }
  const share = count / ring.modes
  return {
    covered: found.filter((points) => points >= share / 4).length,
    near: found.reduce((sum, points) => sum + points, 0) / count,
  }
}
