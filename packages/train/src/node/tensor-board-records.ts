import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import crc32c from 'crc-32/crc32c.js'

/** A tag's value: a number, or the numbers of a tensor. */
export type SummaryValue = readonly [tag: string, value: number | Float32Array]

/** What an Event of TensorFlow says beside its time and step. */
export type EventContent =
  | { readonly fileVersion: 'brain.Event:2' }
  | { readonly summary: readonly SummaryValue[] }
  /** Everything from this step on is to be forgotten. */
  | { readonly restart: true }

/** A record of an event file: an Event as a protobuf, framed. */
export function eventRecord(seconds: number, step: number, content: EventContent): Uint8Array {
  const writer = new BinaryWriter()
  writer.tag(1, WireType.Bit64).double(seconds).tag(2, WireType.Varint).int64(step)
  if ('fileVersion' in content) writer.tag(3, WireType.LengthDelimited).string(content.fileVersion)
  else if ('restart' in content) {
    // A SessionLog with status START.
    writer.tag(7, WireType.LengthDelimited).fork().tag(1, WireType.Varint).int32(1).join()
  } else {
    writer.tag(5, WireType.LengthDelimited).fork()
    for (const value of content.summary) summaryValue(writer, value)
    writer.join()
  }
  return framed(writer.finish())
}

function summaryValue(writer: BinaryWriter, [tag, value]: SummaryValue): void {
  writer.tag(1, WireType.LengthDelimited).fork().tag(1, WireType.LengthDelimited).string(tag)
  if (typeof value === 'number') {
    // float() refuses doubles beyond float32.
    writer.tag(2, WireType.Bit32).float(Math.fround(value))
  } else {
    const { min, max, num, sum, sumOfSquares, limits, counts } = histogram(value)
    writer.tag(5, WireType.LengthDelimited).fork()
    for (const [i, number] of [min, max, num, sum, sumOfSquares].entries()) {
      writer.tag(i + 1, WireType.Bit64).double(number)
    }
    for (const [i, numbers] of [limits, counts].entries()) {
      writer.tag(i + 6, WireType.LengthDelimited).fork()
      for (const number of numbers) writer.double(number)
      writer.join()
    }
    writer.join()
  }
  writer.join()
}

/** How numbers are distributed: TensorFlow's HistogramProto. */
export interface Histogram {
  readonly min: number
  readonly max: number
  readonly num: number
  readonly sum: number
  readonly sumOfSquares: number
  /** The upper end of each bucket; the first begins at `min`. */
  readonly limits: readonly number[]
  readonly counts: readonly number[]
}

const buckets = 30

/**
 * The histogram of the finite ones of some numbers: 30 buckets of equal width from the least to the greatest, as in TensorFlow 2;
 * one bucket where all are the same.
 *
 * @example
 * histogram(Float32Array.of(2, 2, 2)).counts // => [3]
 */
export function histogram(values: Float32Array): Histogram {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  let [num, sum, sumOfSquares] = [0, 0, 0]
  for (const value of values) {
    if (!Number.isFinite(value)) continue
    if (value < min) min = value
    if (value > max) max = value
    num++
    sum += value
    sumOfSquares += value * value
  }
  if (num === 0) return { min: 0, max: 0, num, sum, sumOfSquares, limits: [0], counts: [0] }
  const width = (max - min) / buckets
  if (width === 0) return { min, max, num, sum, sumOfSquares, limits: [max], counts: [num] }
  const counts = new Array<number>(buckets).fill(0)
  for (const value of values) {
    if (Number.isFinite(value)) counts[Math.min(buckets - 1, Math.floor((value - min) / width))]!++
  }
  const limits = counts.map((_, i) => (i === buckets - 1 ? max : min + (i + 1) * width))
  return { min, max, num, sum, sumOfSquares, limits, counts }
}

/** TFRecord: the length, its checksum, the bytes, their checksum. */
function framed(bytes: Uint8Array): Uint8Array {
  const record = new Uint8Array(16 + bytes.length)
  const view = new DataView(record.buffer)
  view.setBigUint64(0, BigInt(bytes.length), true)
  view.setUint32(8, masked(record.subarray(0, 8)), true)
  record.set(bytes, 12)
  view.setUint32(12 + bytes.length, masked(bytes), true)
  return record
}

// A checksum of data that holds checksums is weak: TFRecord turns it and adds a constant.
function masked(bytes: Uint8Array): number {
  const crc = crc32c.buf(bytes) >>> 0
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}
