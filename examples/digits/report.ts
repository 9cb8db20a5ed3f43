import type { Batch } from '@tapeflow/data'
import type { EpochRecord } from '@tapeflow/train'
import type { Trained } from './train.ts'

/** One digit that was taken for another. */
export interface Mistake {
  /** 28 x 28 grey levels. */
  readonly image: Float32Array
  readonly label: number
  readonly predicted: number
  /** The probability that was given to the wrong answer. */
  readonly confidence: number
}

/** How a classifier does on digits that it has not seen. */
export interface Report {
  readonly accuracy: number
  /** Rows are true digits, columns predicted ones. */
  readonly confusion: readonly (readonly number[])[]
  /** The most confident first. */
  readonly mistakes: readonly Mistake[]
}

/** Predicts every digit of a batch, and compares. */
export function examine(
  predict: Trained['predict'],
  { x, y }: { readonly x: Batch; readonly y: Batch },
): Report {
  const probabilities = predict(x)
  const confusion = Array.from({ length: 10 }, () => new Array<number>(10).fill(0))
  const mistakes: Mistake[] = []
  for (const [i, label] of y.values.entries()) {
    const given = probabilities.subarray(10 * i, 10 * i + 10)
    const confidence = Math.max(...given)
    const predicted = given.indexOf(confidence)
    confusion[label]![predicted]!++
    if (predicted === label) continue
    const image = x.values.subarray(784 * i, 784 * i + 784)
    mistakes.push({ image, label, predicted, confidence })
  }
  mistakes.sort((a, b) => b.confidence - a.confidence)
  return { accuracy: 1 - mistakes.length / y.values.length, confusion, mistakes }
}

/** How far training came, and which weights it ended with. */
export function reachedText(reason: string, history: readonly EpochRecord[]): string {
  const epochs = history.filter(({ validation }) => validation !== undefined)
  if (epochs.length === 0) return `${reason} before the first epoch was over`
  const best = epochs.reduce((a, b) => (b.validation!.loss < a.validation!.loss ? b : a))
  const { loss, metrics } = best.validation!
  const measured = `validation loss ${loss.toFixed(4)}, accuracy ${(100 * metrics.accuracy!).toFixed(1)} %`
  const count = epochs.length === 1 ? '1 epoch' : `${epochs.length} epochs`
  const seconds = history.at(-1)!.seconds.toFixed(1)
  return `${reason} after ${count} in ${seconds} s\nbest weights: epoch ${best.epoch + 1}, ${measured}`
}

/** The report in words: accuracy, confusion matrix, and the three most confident mistakes, drawn. */
export function reportText({ accuracy, confusion, mistakes }: Report): string {
  const parts = [`test accuracy ${(100 * accuracy).toFixed(1)} %`, matrixText(confusion)]
  if (mistakes.length > 0) parts.push(mistakesText(mistakes.slice(0, 3)))
  return `${parts.join('\n\n')}\n`
}

function matrixText(confusion: Report['confusion']): string {
  const cell = (count: number): string => (count === 0 ? '·' : String(count)).padStart(5)
  const head = `  true \\ predicted${confusion.map((_, digit) => String(digit).padStart(5)).join('')}`
  const rows = confusion.map((row, digit) => `${String(digit).padStart(18)}${row.map(cell).join('')}`)
  return [head, ...rows].join('\n')
}

function mistakesText(mistakes: readonly Mistake[]): string {
  const captions = mistakes.map(({ label, predicted, confidence }) =>
    `a ${label}, read as ${predicted} (${(100 * confidence).toFixed(1)} %)`.padEnd(drawnColumns),
  )
  const drawings = mistakes.map(({ image }) => drawn(image))
  const lines = drawings[0]!.map((_, line) => drawings.map((drawing) => drawing[line]).join('  '))
  return ['most confident mistakes', '', ...lines, captions.join('  ')]
    .map((line) => line.trimEnd())
    .join('\n')
}

const shades = ' ░▒▓█'
/** Digits stand in the middle 24 of 28 columns and rows. */
const [first, drawnColumns] = [2, 24]

/** Twelve lines of characters: each stands for two pixels, one above the other, as characters are about twice as high as wide. */
function drawn(image: Float32Array): string[] {
  const shade = (row: number, column: number): string => {
    const grey = (image[28 * row + column]! + image[28 * (row + 1) + column]!) / 2
    return shades[Math.min(shades.length - 1, Math.ceil(grey * (shades.length - 1)))]!
  }
  return Array.from({ length: drawnColumns / 2 }, (_, line) =>
    Array.from({ length: drawnColumns }, (_, column) => shade(first + 2 * line, first + column)).join(''),
  )
}
