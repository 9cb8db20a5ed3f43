import * as t from '@tapeflow/autodiff'
import { checkGain, type GainOptions, type Initializer } from './initializer.ts'

/**
 * An initialiser that gives the identity matrix times a gain: `gain` where row and column are equal, 0 elsewhere. A linear
 * layer that starts so gives what it takes; where its sizes differ, the first features, or zeros after them.
 *
 * @param options.gain 1 by default
 * @throws RangeError when the gain is not finite, and in a call for a shape that is not `[rows, columns]`
 * @example
 * identityMatrix()(t.key(1), [2, 3], 2, 3).toArray() // => [[1, 0, 0], [0, 1, 0]]
 * identityMatrix({ gain: 0.5 })(t.key(1), [2, 2], 2, 2).toArray() // => [[0.5, 0], [0, 0.5]]
 *
 * Le, Jaitly, Hinton: A simple way to initialize recurrent networks of rectified linear units (2015)
 */
export function identityMatrix(options: GainOptions = {}): Initializer {
  t.knownOptions('identityMatrix', options, 'gain')
  const gain = checkGain('identityMatrix', options)
  return (_key, shape) => {
    const [rows, columns] = shape
    if (shape.length !== 2 || rows === undefined || columns === undefined) {
      return t.failRange(
        'identityMatrix',
        `the shape must be [rows, columns], got ${t.showShape(shape)}`,
        'use it for matrices',
      )
    }
    return t.scope(() => t.mul(t.eye(rows, columns), gain))
  }
}
