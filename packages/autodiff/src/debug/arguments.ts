import { failDisposed, isGone, Tensor } from '../tensor.ts'
import { isPlain } from '../tree.ts'
import { AnomalyError, indexOf } from './anomaly.ts'
import { firstOf, type Looked, looked, lookedAt, rangeOf } from './range.ts'

/**
 * Looks at the numbers that came in.
 *
 * @throws AnomalyError for the first argument that holds what is not finite: names the place
 */
export function checkArguments(args: readonly unknown[], infinities: boolean): void {
  const report = (found: Looked, valueAt: (place: number) => number, index: number, path: string): void => {
    const place = firstOf(found, infinities)
    if (place < 0) return
    throw new AnomalyError(
      {
        operation: 'debug',
        value: valueAt(place),
        index: indexOf(place, found.shape),
        result: rangeOf(found),
        inputs: [],
        path: '',
        pass: 'forward',
        backwardOf: null,
        steps: [],
        argument: { index, path },
        place: null,
      },
      '',
    )
  }
  const visit = (value: unknown, index: number, path: string): void => {
    const within = (key: string | number): string => (path === '' ? `${key}` : `${path}.${key}`)
    if (value instanceof Tensor) {
      if (isGone(value)) failDisposed('debug', value)
      report(looked(value), (place) => value.toFloat32Array()[place]!, index, path)
    } else if (typeof value === 'number') {
      report(lookedAt([], [value]), () => value, index, path)
    } else if (value instanceof Float32Array) {
      report(lookedAt([value.length], value), (place) => value[place]!, index, path)
    } else if (Array.isArray(value)) {
      for (const [i, item] of value.entries()) visit(item, index, within(i))
    } else if (isPlain(value)) {
      for (const key of Object.keys(value)) visit(value[key], index, within(key))
    }
  }
  for (const [index, argument] of args.entries()) visit(argument, index, '')
}
