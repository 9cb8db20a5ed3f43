import * as t from '@tapeflow/autodiff'
import { type Batch, type Dataset, dataset } from '@tapeflow/data'

/** How many readings there are, and in how many parts they are looked at. */
export const readings = 4000
export const parts = 10
/** How many readings come at a time. */
export const rows = 8

/** Readings of a sensor: temperature and humidity of a room, as it feels them, and the temperature that there is. */
export interface Readings {
  readonly x: Float32Array
  readonly y: Float32Array
}

/** What there is of some readings: what the sensor feels, and what it should tell. */
interface Reading {
  readonly x: Batch
  readonly y: Batch
}

/** A sensor that ages: within 4,000 readings its scale falls by half and its zero moves, slowly. */
export function agingSensor(seed: number): Readings {
  const [truth, humidity, noise] = [0, 1, 2].map((i) =>
    t.normalValues(t.foldIn(t.key(seed), i), readings),
  ) as [Float32Array, Float32Array, Float32Array]
  const x = new Float32Array(2 * readings)
  for (let i = 0; i < readings; i++) {
    const age = i / readings
    x[2 * i] = (1 - 0.5 * age) * truth[i]! + 0.2 * humidity[i]! + age + 0.02 * noise[i]!
    x[2 * i + 1] = humidity[i]!
  }
  return { x, y: truth }
}

/** Batches of the readings from one to another. */
export function between({ x, y }: Readings, from: number, to: number): Dataset<Reading> {
  return dataset({
    x: { shape: [to - from, 2], values: x.slice(2 * from, 2 * to) },
    y: { shape: [to - from, 1], values: y.slice(from, to) },
  }).batch(rows)
}
