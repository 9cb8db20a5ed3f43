import { heapFloats } from '../memory.ts'
import type { Numerics } from '../numerics.ts'
import type { Values } from '../operation.ts'
import { sizeOf } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { domain, type Words } from '../threefry.ts'
import { deriveInto } from '../traced-key.ts'
import { padded } from './arena.ts'
import { evaluate } from './evaluate.ts'
import { packing, type ScanAttributes } from './packing.ts'

/** Runs a body over its rows: the kernel of a scan. */
export function runScan(
  output: Tensor,
  inputs: readonly Tensor[],
  attributes: ScanAttributes,
  scratch: number,
  numerics: Numerics | null = null,
): void {
  const { body, length, reverse, saving, keys, firstRow } = attributes
  const { replay, places } = body.prepared(numerics)
  const { carry, ys, saved } = packing(attributes)
  const carries = body.carry.length
  const xs = body.xs.length
  const cells: Words[] = keys.slice(0, body.rowKeys).map(() => ({ high: 0, low: 0 }))
  const hosted = body.leafValues<unknown>(inputs, [...cells, ...keys.slice(body.rowKeys)])
  // The other place of the carry, where none is kept: steps write here and there in turn, the last one to the output.
  const aside = scratch + padded(body.plan.arenaBytes)
  const rowOf = (step: number): number => (reverse ? length - 1 - step : step)
  const placeAfter = (i: number, step: number): number => {
    if (step === length - 1) return output.offset + 4 * carry[i]!
    if (saving) return output.offset + 4 * (saved[i]! + rowOf(step + 1) * body.carry[i]!.size)
    return (length - 1 - step) % 2 === 0 ? output.offset + 4 * carry[i]! : aside + 4 * carry[i]!
  }
  for (let i = 0; i < carries; i++) {
    const { size, offset } = inputs[i]!
    if (length === 0) copy(offset, output.offset + 4 * carry[i]!, size)
    else if (saving) copy(offset, output.offset + 4 * (saved[i]! + rowOf(0) * size), size)
  }
  replay.moveArena(scratch)
  for (const [i, input] of inputs.entries()) {
    replay.moveLeaf(i < body.firstKey ? i : i + keys.length, input.offset)
  }
  for (let step = 0; step < length; step++) {
    const row = rowOf(step)
    for (let i = 0; i < xs; i++) {
      replay.moveLeaf(carries + i, inputs[carries + i]!.offset + 4 * row * body.xs[i]!.size)
    }
    for (let i = 0; i < cells.length; i++) deriveInto(cells[i]!, keys[i]!, firstRow + row, domain.index)
    body.resolve(hosted)
    for (let i = 0; i < carries; i++) replay.moveOutput(places[i]!, placeAfter(i, step))
    for (let i = 0; i < ys.length; i++) {
      const { size } = body.result.ys[i]!
      replay.moveOutput(places[carries + i]!, output.offset + 4 * (ys[i]! + row * size))
    }
    replay.run()
    for (let i = 0; i < carries; i++) replay.moveLeaf(i, placeAfter(i, step))
  }
}

function copy(from: number, to: number, size: number): void {
  heapFloats().copyWithin(to / 4, from / 4, from / 4 + size)
}

/** The same in double precision. */
export function scanReference(inputs: readonly Values[], attributes: ScanAttributes): Float64Array {
  const { body, length, reverse, saving, keys, firstRow } = attributes
  const { carry: carryAt, ys: ysAt, saved: savedAt, size } = packing(attributes)
  const carries = body.carry.length
  const packed = new Float64Array(size)
  let carry = inputs.slice(0, carries)
  const captured = inputs.slice(carries + body.xs.length)
  for (let step = 0; step < length; step++) {
    const row = reverse ? length - 1 - step : step
    if (saving)
      for (const [i, x] of carry.entries()) packed.set(x.values, savedAt[i]! + row * x.values.length)
    const xs = body.xs.map(({ shape }, i): Values => {
      const rowSize = sizeOf(shape)
      const from = inputs[carries + i]!.values
      return { shape, values: Float64Array.from({ length: rowSize }, (_, at) => from[row * rowSize + at]!) }
    })
    const stepKeys = keys.map((key, i) => {
      const cell: Words = { high: key.high, low: key.low }
      if (i < body.rowKeys) deriveInto(cell, key, firstRow + row, domain.index)
      return cell
    })
    const given = [...carry, ...xs, ...captured]
    body.resolve(body.leafValues<unknown>(given, stepKeys))
    const results = evaluate(
      body.graph,
      body.leafValues<Values | null>(
        given,
        keys.map(() => null),
      ),
    )
    carry = results.slice(0, carries)
    for (const [i, y] of results.slice(carries).entries())
      packed.set(y.values, ysAt[i]! + row * y.values.length)
  }
  for (const [i, x] of carry.entries()) packed.set(x.values, carryAt[i]!)
  return packed
}
