import { failRange, kindOf, type Shape, showShape } from '@tapeflow/autodiff'
import { at, type Context } from '../layer.ts'

/** What a layer takes: axes in space, and channels last. */
export interface Samples {
  /** The layer's name, for errors. */
  readonly operation: string
  /** What the axes before the channels are called: `['height', 'width']`. */
  readonly axes: readonly string[]
  /** How many channels, where only so many will do. */
  readonly channels?: number
}

/**
 * Checks the shape of what a layer is given.
 *
 * @param ctx of the pass, for a batch; left out for samples, of which `init` is told
 * @throws RangeError for another number of axes or channels: names the layer's path
 */
export function checkSamples({ operation, axes, channels }: Samples, shape: Shape, ctx?: Context): void {
  const last = shape.length - 1
  const rows = ctx === undefined ? [] : ['rows']
  if (last === rows.length + axes.length && (channels ?? shape[last]) === shape[last]) return
  const taken = channels === undefined ? `${axes.join(', ')} and channels` : `${channels} channels`
  failRange(
    operation,
    `the layer${placeOf(ctx)} takes ${taken}, got ${givenTo(ctx)} of shape ${showShape(shape)}`,
    `pass [${[...rows, ...axes, channels ?? 'channels'].join(', ')}]`,
  )
}

/**
 * Checks that there is an axis of places before the channels, or more of them.
 *
 * @param ctx of the pass, for a batch; left out for samples, of which `init` is told
 * @throws RangeError where there is none: names the layer's path
 */
export function checkPlaces(operation: string, shape: Shape, ctx?: Context): void {
  const rows = ctx === undefined ? '' : 'rows, '
  if (shape.length >= (ctx === undefined ? 2 : 3)) return
  failRange(
    operation,
    `the layer${placeOf(ctx)} takes places and channels, got ${givenTo(ctx)} of shape ${showShape(shape)}`,
    `pass [${rows}length, channels] or [${rows}height, width, channels]`,
  )
}

const placeOf = (ctx: Context | undefined): string => (ctx === undefined ? '' : at(ctx))
const givenTo = (ctx: Context | undefined): string => (ctx === undefined ? 'samples' : 'an input')

/**
 * Checks sizes that are counts.
 *
 * @throws RangeError for one that is no integer from 1 on: names it
 */
export function checkCounts(operation: string, counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) {
    if (Number.isInteger(count) && count >= 1) continue
    const given = typeof count === 'number' ? count : kindOf(count)
    failRange(operation, `${name} must be an integer from 1 on, got ${given}`)
  }
}
