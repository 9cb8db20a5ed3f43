import { knownOptions } from '@tapeflow/autodiff'
import type { EpochRecord, TrainEvent } from '../events.ts'
import { type HistoryPlotOptions, historyPlot, requirePlotOptions } from '../history-plot.ts'
import { epochRecords, isRewind, standing } from '../monitors/epoch-records.ts'

/** What `plot` takes. */
export interface PlotOptions extends Omit<HistoryPlotOptions, 'colour'> {
  /** `process.stdout` by default. */
  readonly stream?: Terminal
}

/** Where a plot is drawn: `process.stdout`, or anything like it. */
export type Terminal = Pick<NodeJS.WritableStream, 'write'> & {
  readonly isTTY?: boolean
  readonly columns?: number
  /** Whether escape sequences for colours are understood, and wanted. */
  hasColors?(): boolean
}

/**
 * A monitor that draws the curves of a run, as `historyPlot` does: on a terminal after each epoch, over the picture before; where
 * the stream is no terminal once, at the end of the run. It is as wide as the terminal, up to `width`.
 *
 * Nothing else should write to the terminal between two epochs, a `progressBar` neither: the picture would go over it.
 *
 * @throws RangeError or TypeError for options that are wrong; that there is no such measure is logged by `fit`
 * @example
 * const pictures = []
 * const data = dataset({ x: { shape: [1, 1], values: Float32Array.of(2) }, y: { shape: [1, 1], values: Float32Array.of(4) } })
 * const run$ = fit(linear(1, 1, { weight: zeros }), {
 *   data: data.batch(1),
 *   loss: mse(),
 *   optimizer: sgd({ learningRate: 0.01 }),
 *   epochs: 10,
 *   monitors: [plot({ height: 4, stream: { write: (text) => pictures.push(text) } })],
 * })
 * await result(run$)
 * pictures.length // => 1
 * pictures[0].split('\n').length // => 7
 */
export function plot(options: PlotOptions = {}): (event: TrainEvent) => void {
  const {
    stream = process.stdout,
    measure = 'loss',
    scale = 'linear',
    width = 72,
    height = 12,
  } = knownOptions('plot', options, 'stream measure scale width height')
  requirePlotOptions('plot', { measure, scale, width, height })
  let history: EpochRecord[] = []
  let drawn = 0
  const draw = (): void => {
    const colour = stream.isTTY === true && stream.hasColors?.() === true
    // A line that reaches the edge may break there.
    const fitting = Math.max(40, Math.min(width, (stream.columns ?? width + 1) - 1))
    const picture = historyPlot(history, { measure, scale, width: fitting, height, colour })
    const over = drawn === 0 ? '' : `\u001b[${drawn}A\u001b[J`
    drawn = stream.isTTY === true ? picture.split('\n').length - 1 : 0
    stream.write(over + picture)
  }
  const records = epochRecords((record) => {
    history.push(record)
    if (stream.isTTY === true) draw()
  })
  return (event) => {
    if (event.type === 'start') {
      history = [...standing(event).told]
      drawn = 0
    }
    records(event)
    if (isRewind(event)) history = history.filter(({ epoch }) => epoch < event.epoch)
    if (event.type === 'end' && stream.isTTY !== true && history.length > 0) draw()
  }
}
