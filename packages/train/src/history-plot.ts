import { failRange, failType, kindOf, knownOptions } from '@tapeflow/autodiff'
import { type BrailleCanvas, brailleCanvas, type Dot, painted } from './braille-canvas.ts'
import type { EpochRecord, Measures } from './events.ts'
import { requireHistory } from './history.ts'
import { numbersOf } from './measures.ts'
import { requireCounts, requireFlags } from './require-numbers.ts'

/** What `historyPlot` takes beside the history. */
export interface HistoryPlotOptions {
  /** What is drawn: 'loss', `losses.<name>` of several losses, or a metric; 'loss' by default. */
  readonly measure?: string
  /** Equal distances are equal differences ('linear', the default) or equal factors ('log', numbers above 0 only). */
  readonly scale?: 'linear' | 'log'
  /** Columns of the whole, from 40 on; 72 by default. */
  readonly width?: number
  /** Rows of the curves, from 2 on; 12 by default. */
  readonly height?: number
  /** Whether the curves have colours, as terminals show them; false by default. */
  readonly colour?: boolean
}

interface Curve {
  readonly name: string
  /** In the order of the epochs; values that are not finite are gaps. */
  readonly points: readonly Point[]
  /** The last value as it is, on whatever scale. */
  readonly last: number
  readonly colour: number
  readonly dotted: boolean
}

type Point = readonly [epoch: number, value: number]

const [cyan, yellow] = [36, 33]

/**
 * A picture of how a run went, of braille characters: a measure over the epochs, of training as a line and of validation dotted,
 * with their last values beside them. Numbers that are not finite are gaps, over which the axis goes on; where the last value is none,
 * it says so: `loss NaN`.
 *
 *      1.800 ┤⠳⡀
 *            │ ⠘⣄
 *            │  ⠈⠲⢆⡀
 *            │     ⠑⠥⣐⠂⠤ ⡀⢀⡀⢀⡀⢀⡀⢀⡀⢀⡀ validation 0.6033
 *     0.3167 ┤        ⠉⠒⠒⠤⠤⠤⠤⢄⣀⣀⣀⣀⣀⣀ loss 0.3167
 *            └──────────────────────
 *             0                    9 epoch
 *
 * @param history of a `result`, or of an `end` event
 * @returns lines, each of which ends with a line break
 * @throws RangeError for a measure that there is not, or sizes that are too small
 * @example
 * const history = [0, 1].map((epoch) => ({ epoch, loss: 1 - epoch, metrics: {}, learningRate: 0.1, seconds: epoch }))
 * historyPlot(history, { width: 40, height: 2 }).split('\n')[0] // => '1.000 ┤⠉⠉⠒⠒⠒⠤⠤⠤⣀⣀⣀'
 * historyPlot(history, { width: 40, height: 2 }).split('\n')[1] // => '0.000 ┤           ⠉⠉⠉⠒⠒⠒⠤⠤⠤⣀⣀ loss 0.000'
 */
export function historyPlot(history: readonly EpochRecord[], options: HistoryPlotOptions = {}): string {
  const {
    measure = 'loss',
    scale = 'linear',
    width = 72,
    height = 12,
    colour = false,
  } = knownOptions('historyPlot', options, 'measure scale width height colour')
  requireHistory('historyPlot', history)
  requirePlotOptions('historyPlot', { measure, scale, width, height })
  requireFlags('historyPlot', { colour })
  const curves = curvesOf(history, measure, scale)
  const points = curves.flatMap((curve) => curve.points.filter(isFinitePoint))
  if (points.length === 0) return `${measure} has no number that can be drawn\n`
  const [first, last] = range(curves.flatMap((curve) => curve.points.map(([epoch]) => epoch)))
  const [low, high] = range(points.map(([, value]) => value))

  const shown = (value: number): string => short(scale === 'log' ? 10 ** value : value)
  const [top, bottom] = [shown(high), shown(low)]
  const left = Math.max(top.length, bottom.length)
  const labels = curves.map((curve) => `${curve.name} ${short(curve.last)}`)
  const columns = Math.max(8, width - left - 3 - Math.max(...labels.map(({ length }) => length)))
  const dot = ([epoch, value]: Point): Dot => [
    first === last ? 0 : Math.round(((epoch - first) / (last - first)) * (2 * columns - 1)),
    low === high ? 2 * height : Math.round(((high - value) / (high - low)) * (4 * height - 1)),
  ]
  const canvas = brailleCanvas(columns, height)
  // Training comes last: where both are, its colour stays.
  for (const curve of curves.toReversed()) draw(canvas, curve, dot)

  const ends = apart(
    curves.map((curve) => {
      const drawn = curve.points.findLast(isFinitePoint)
      return drawn === undefined ? height - 1 : dot(drawn)[1] >> 2
    }),
    height,
  )
  const names = low === high ? { [height >> 1]: top } : { 0: top, [height - 1]: bottom }
  const rows = Array.from({ length: height }, (_, row) => {
    const name = names[row] ?? ''
    const axis = `${name.padStart(left)} ${name === '' ? '│' : '┤'}`
    const i = ends.indexOf(row)
    if (i < 0) return axis + canvas.row(row, colour)
    return `${axis}${canvas.row(row, colour)} ${colour ? painted(labels[i]!, curves[i]!.colour) : labels[i]}`
  })
  const epochs =
    first === last ? `${first}` : `${first}${String(last).padStart(columns - String(first).length)}`
  const below = [`${' '.repeat(left + 1)}└${'─'.repeat(columns)}`, `${' '.repeat(left + 2)}${epochs} epoch`]
  return [...rows, ...below].map((text) => `${text.trimEnd()}\n`).join('')
}

/** Throws where options of a plot are wrong; the measure, where a history says which there are. */
export function requirePlotOptions(
  name: string,
  { measure, scale, width, height }: Pick<HistoryPlotOptions, 'measure' | 'scale' | 'width' | 'height'>,
): void {
  if (typeof measure !== 'string') {
    failType(name, `measure must be a name, got ${kindOf(measure)}`, "pass measure: 'accuracy'")
  }
  if (scale !== 'linear' && scale !== 'log') {
    failRange(name, `unknown scale '${String(scale)}'`, "use 'linear' or 'log'")
  }
  requireCounts(name, { width }, 40)
  requireCounts(name, { height }, 2)
}

function curvesOf(history: readonly EpochRecord[], measure: string, scale: 'linear' | 'log'): Curve[] {
  const measuredIn = (record: Measures): number => {
    const numbers = numbersOf(record)
    const value = numbers[measure]
    if (value === undefined) {
      const names = Object.keys(numbers).join(', ')
      failRange('historyPlot', `'${measure}' was not measured`, `use one of ${names}`)
    }
    return value
  }
  const training = history.map((record): Point => [record.epoch, measuredIn(record)])
  const validation = history.flatMap(({ epoch, validation: found }): Point[] =>
    found === undefined ? [] : [[epoch, measuredIn(found)]],
  )
  const curve = (name: string, found: readonly Point[], colour: number, dotted: boolean): Curve[] => {
    const points = scale === 'log' ? found.map(([x, y]): Point => [x, Math.log10(y)]) : found
    const last = found.at(-1)
    return last === undefined ? [] : [{ name, points, last: last[1], colour, dotted }]
  }
  return [...curve(measure, training, cyan, false), ...curve('validation', validation, yellow, true)]
}

function draw(canvas: BrailleCanvas, { points, colour, dotted }: Curve, dot: (point: Point) => Dot): void {
  let before: Dot | null = null
  for (const point of points) {
    const here = isFinitePoint(point) ? dot(point) : null
    if (here !== null) {
      canvas.line(before ?? here, here, colour, dotted && before !== null)
    }
    before = here
  }
}

/** The rows of labels, moved so that no two are in one. */
function apart(rows: readonly number[], height: number): readonly number[] {
  const [one, other] = rows
  if (other === undefined || one !== other) return rows
  return one! + 1 < height ? [one! + 1, other] : [one!, other - 1]
}

function isFinitePoint([, value]: Point): boolean {
  return Number.isFinite(value)
}

function range(values: readonly number[]): readonly [least: number, greatest: number] {
  return values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ] as readonly [number, number])
}

// Four digits.
function short(value: number): string {
  const size = Math.abs(value)
  return size === 0 || (size >= 0.001 && size < 1e5) ? value.toPrecision(4) : value.toExponential(1)
}
