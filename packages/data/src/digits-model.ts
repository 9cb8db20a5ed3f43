/** Images of 28 x 28 grey levels with their labels, and for each the columns and rows [x0, x1, y0, y1] its ink lies in. */
export interface DigitImages {
  readonly count: number
  readonly labels: Uint8Array
  readonly boxes: Uint8Array
  readonly pixels: Uint8Array
}

/** Images without ink, for decoding into. */
export const blankImages = (count: number): DigitImages => ({
  count,
  labels: new Uint8Array(count),
  boxes: new Uint8Array(4 * count),
  pixels: new Uint8Array(784 * count),
})

/** How many contexts `visitDigits` tells symbols apart by: each has a distribution of its own. */
export const contextCount = 86

/** Writes or reads one symbol, 0 to 255: a writer gives back `symbol`, a reader ignores it and gives what it read. */
export type Code = (context: number, symbol: number) => number

/**
 * Passes each number of each image through `code`, and keeps what comes back. Writer and reader walk the same way, so the
 * order of the numbers and their contexts are written down once, here.
 *
 * Only pixels inside the box are visited. The context of a pixel is the level (none, grey, full) of its four neighbours
 * that are known already: west, north, north-west and north-east. Ink is smooth, so they foretell it well.
 */
export function visitDigits({ count, labels, boxes, pixels }: DigitImages, code: Code): void {
  const level = Uint8Array.from({ length: 256 }, (_, value) => (value === 0 ? 0 : value < 252 ? 1 : 2))
  for (let image = 0; image < count; image++) {
    labels[image] = code(85, labels[image]!)
    const box = boxes.subarray(4 * image, 4 * image + 4)
    for (let side = 0; side < 4; side++) box[side] = code(81 + side, box[side]!)
    const [x0 = 0, x1 = 0, y0 = 0, y1 = 0] = box
    for (let y = y0; y <= y1; y++) {
      for (let x = x0; x <= x1; x++) {
        const i = 784 * image + 28 * y + x
        const west = x > 0 ? level[pixels[i - 1]!]! : 0
        const north = y > 0 ? level[pixels[i - 28]!]! : 0
        const northWest = x > 0 && y > 0 ? level[pixels[i - 29]!]! : 0
        const northEast = x < 27 && y > 0 ? level[pixels[i - 27]!]! : 0
        pixels[i] = code(27 * west + 9 * north + 3 * northWest + northEast, pixels[i]!)
      }
    }
  }
}
