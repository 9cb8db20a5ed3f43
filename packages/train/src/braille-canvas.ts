/** A picture of braille characters, each of which has 2 x 4 dots. Dots count from the top left on. */
export interface BrailleCanvas {
  /** Sets the dots of a straight line in a colour: an ANSI code. Dotted lines leave out two of four. */
  line(from: Dot, to: Dot, colour: number, dotted: boolean): void
  /** The characters of a row; with escape sequences where colours are wanted. */
  row(row: number, coloured: boolean): string
}

/** A place on a canvas. */
export type Dot = readonly [x: number, y: number]

// Unicode numbers the dots of a cell down the left column, down the right one, then the bottom two.
const bits = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const
const none = 0x2800

/**
 * An empty canvas.
 *
 * @example
 * const canvas = brailleCanvas(2, 1)
 * canvas.line([0, 0], [3, 3], 36, false)
 * canvas.row(0, false) // => '⠑⢄'
 */
export function brailleCanvas(columns: number, rows: number): BrailleCanvas {
  const cells = new Uint8Array(columns * rows)
  const colours = new Uint8Array(columns * rows)
  return {
    line([x0, y0], [x1, y1], colour, dotted) {
      const steps = Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0), 1)
      for (let i = 0; i <= steps; i++) {
        const x = Math.round(x0 + ((x1 - x0) * i) / steps)
        const y = Math.round(y0 + ((y1 - y0) * i) / steps)
        // By place, not by count: short pieces of a line are dotted, too.
        if (dotted && (x + y) % 4 > 1) continue
        const cell = (y >> 2) * columns + (x >> 1)
        cells[cell]! |= bits[(y & 3) as 0 | 1 | 2 | 3][(x & 1) as 0 | 1]
        colours[cell] = colour
      }
    },
    row(row, coloured) {
      let text = ''
      for (let cell = row * columns; cell < (row + 1) * columns; cell++) {
        const dots = cells[cell]!
        const character = dots === 0 ? ' ' : String.fromCharCode(none + dots)
        text += coloured && dots > 0 ? painted(character, colours[cell]!) : character
      }
      return text
    },
  }
}

/** Text in a colour of terminals. */
export function painted(text: string, colour: number): string {
  return `\u001b[${colour}m${text}\u001b[39m`
}
