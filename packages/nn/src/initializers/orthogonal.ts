import * as t from '@tapeflow/autodiff'
import { checkGain, type GainOptions, type Initializer } from './initializer.ts'

/**
 * An initialiser that draws an orthogonal matrix times a gain, every one equally likely: W Wᵀ = gain² I where it has at
 * most as many rows as columns, Wᵀ W = gain² I where it has at least as many. Lengths pass it unchanged, forward and
 * backward, through any number of layers.
 *
 * Normal numbers are made orthonormal by the Gram-Schmidt process, which leaves no sign open: that is what makes it
 * uniform (Haar). It is done twice, by halves, so that it is exact to rounding: within 1e-6.
 *
 * @param options.gain 1 by default; sqrt(2) makes up for `relu`
 * @returns an initialiser of shapes of rank 2 or more: all axes but the last are rows, like Keras. A kernel
 * `[height, width, in, out]` is a matrix `[height width in, out]`
 * @throws RangeError when the gain is not finite, and in a call for a shape of rank below 2
 * @example
 * const w = orthogonal({ gain: 2 })(t.key(1), [3, 3], 3, 3)
 * t.round(t.matmul(w, t.transpose(w))).toArray() // => [[4, 0, 0], [0, 4, 0], [0, 0, 4]]
 *
 * Saxe, McClelland, Ganguli: Exact solutions to the nonlinear dynamics of learning in deep linear neural networks (ICLR
 * 2014); Mezzadri: How to generate random matrices from the classical compact groups (2007)
 */
export function orthogonal(options: GainOptions = {}): Initializer {
  t.knownOptions('orthogonal', options, 'gain')
  const gain = checkGain('orthogonal', options)
  return (key, shape) => {
    if (shape.length < 2) {
      t.failRange(
        'orthogonal',
        `the shape must have rank 2 or more, got ${t.showShape(shape)}`,
        'use it for weights',
      )
    }
    const columns = shape[shape.length - 1]!
    const rows = t.sizeOf(shape.slice(0, -1))
    return t.scope(() => {
      const drawn = t.normal(key, [Math.min(rows, columns), Math.max(rows, columns)])
      // What is nearly parallel loses digits when it is made orthogonal. Afterwards nothing is: the second time loses none.
      const q = drawn.size === 0 ? drawn : orthonormal(orthonormal(drawn))
      return t.reshape(t.mul(rows < columns ? q : t.transpose(q), gain), shape)
    })
  }
}

// Gram-Schmidt by halves: the second half loses what it has of the first, in two products.
function orthonormal(rows: t.Tensor): t.Tensor {
  const count = rows.shape[0]!
  if (count === 1) return t.div(rows, t.norm(rows))
  const half = Math.floor(count / 2)
  const first = orthonormal(t.slice(rows, 0, half))
  const second = t.slice(rows, half)
  const shared = t.matmul(t.matmul(second, first, { transposeB: true }), first)
  return t.concat([first, orthonormal(t.sub(second, shared))])
}
