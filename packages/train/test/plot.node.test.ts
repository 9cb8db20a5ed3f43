import { describe, expect, test } from 'vitest'
import { brailleCanvas } from '../src/braille-canvas.ts'
import {
  type EpochRecord,
  fit,
  type HistoryPlotOptions,
  historyPlot,
  result,
  type TrainEvent,
} from '../src/index.ts'
import { type PlotOptions, plot, type Terminal } from '../src/node.ts'
import { goingBack, line, twoPoints } from './small.ts'

const record = (epoch: number, loss: number, validation?: number): EpochRecord => ({
  epoch,
  loss,
  metrics: { accuracy: 1 - loss },
  learningRate: 0.1,
  seconds: epoch,
  ...(validation === undefined
    ? {}
    : { validation: { loss: validation, metrics: { accuracy: 1 - validation } } }),
})
const ten = Array.from({ length: 10 }, (_, epoch) =>
  record(epoch, 1.5 * Math.exp(-epoch / 2) + 0.3, 1.2 * Math.exp(-epoch / 2) + 0.5 + epoch / 100),
)
const small: HistoryPlotOptions = { width: 48, height: 5 }
const escapeCode = '\u001b'

describe('historyPlot', () => {
  test('draws training as a line and validation dotted, each with its last value', () => {
    expect(historyPlot(ten, small)).toBe(
      `${[
        ' 1.800 ┤⠳⡀',
        '       │ ⠘⣄',
        '       │  ⠈⠲⢆⡀',
        '       │     ⠑⠥⣐⠂⠤ ⡀⢀⡀⢀⡀⢀⡀⢀⡀⢀⡀ validation 0.6033',
        '0.3167 ┤        ⠉⠒⠒⠤⠤⠤⠤⢄⣀⣀⣀⣀⣀⣀ loss 0.3167',
        '       └──────────────────────',
        '        0                    9 epoch',
      ].join('\n')}\n`,
    )
  })

  test('is no wider than it may be, at any length of history and any size of its numbers', () => {
    for (const scale of [1e-9, 1, -1, 123456789]) {
      for (const epochs of [1, 2, 30, 1000]) {
        const history = Array.from({ length: epochs }, (_, i) => record(i, scale * Math.cos(i), scale * i))
        for (const width of [40, 72, 200]) {
          const lines = historyPlot(history, { width, height: 3 }).split('\n')
          expect(Math.max(...lines.slice(0, 4).map(({ length }) => length))).toBeLessThanOrEqual(width)
          expect(lines).toHaveLength(6)
        }
      }
    }
  })

  test('makes equal factors equal distances on a logarithmic scale, where there is nothing at 0', () => {
    const history = [100, 10, 1].map((loss, epoch) => record(epoch, loss))
    expect(historyPlot(history, { width: 40, height: 3, scale: 'log' })).toBe(
      `${[
        '100.0 ┤⠉⠒⠒⠤⠤⣀⡀',
        '      │      ⠈⠉⠑⠒⠢⠤⢄⣀⡀',
        '1.000 ┤              ⠈⠉⠑⠒⠢⠤⢄⣀ loss 1.000',
        '      └──────────────────────',
        '       0                    2 epoch',
      ].join('\n')}\n`,
    )
    const toZero = historyPlot([...history, record(3, 0)], { width: 40, height: 3, scale: 'log' })
    expect(toZero).toContain(' loss 0.000\n')
    expect(toZero).toMatch(/\n +0 +3 epoch\n$/)
  })

  // Epochs 0 and 1 filled the picture, and the loss beside it was 0.5.
  test('shows that a run has died: the axis goes on, and the last value is NaN', () => {
    const dead = [1, 0.5, Number.NaN, Number.NaN, Number.NaN].map((loss, epoch) => record(epoch, loss))
    const [top = '', bottom = '', , axis] = historyPlot(dead, { width: 40, height: 2 }).split('\n')
    expect(axis).toMatch(/^ +0 +4 epoch$/)
    expect(bottom).toMatch(/^0\.5000 ┤.* loss NaN$/)
    // A quarter of the width is drawn.
    const drawn = [top, bottom.replace(' loss NaN', '')].map((row) => row.trimEnd().length)
    expect(Math.max(...drawn) - '0.5000 ┤'.length).toBeLessThanOrEqual(7)
    const validated = historyPlot([record(0, 1, Number.NaN), record(1, 0.5, Number.NaN)], { height: 2 })
    expect(validated).toContain(' validation NaN\n')
    expect(validated).toContain(' loss 0.5000\n')
    expect(historyPlot([record(0, 1), record(1, Number.POSITIVE_INFINITY)], { height: 2 })).toContain(
      'loss Infinity',
    )
  })

  test('leaves gaps where a number is not finite, but not where an epoch was not validated', () => {
    const gap = [record(0, 1), record(1, Number.NaN), record(2, 1), record(3, 0)]
    const dots = (history: readonly EpochRecord[], text: RegExp): number =>
      historyPlot(history, { width: 40, height: 2 }).split('\n').join('').match(text)?.length ?? 0
    const whole = [record(0, 1), record(1, 1), record(2, 1), record(3, 0)]
    expect(dots(gap, /[⠁-⣿]/g)).toBeLessThan(dots(whole, /[⠁-⣿]/g))
    const sparse = [record(0, 1, 0), record(1, 1), record(2, 1), record(3, 1, 0)]
    expect(historyPlot(sparse, { width: 40, height: 2 }).split('\n')[1]).toMatch(/┤[⠁-⣿ ]{9,} validation/)
    expect(
      historyPlot(sparse, { width: 40, height: 2 }).split('\n')[1]!.match(/[⠁-⣿]/g)!.length,
    ).toBeGreaterThan(4)
  })

  test('draws a single epoch, and one number throughout, in the middle', () => {
    expect(historyPlot([record(3, 2)], { width: 40, height: 3 })).toMatch(
      /^ {6}│\n2\.000 ┤⠄ +loss 2\.000\n {6}│\n {6}└─+\n {7}3 epoch\n$/,
    )
  })

  test('keeps the two labels apart', () => {
    for (const [loss, validation] of [
      [0, 0],
      [1, 1],
      [0.5, 0.5],
    ] as const) {
      const text = historyPlot([record(0, 0.2, 0.7), record(1, loss, validation)], { width: 50, height: 2 })
      expect(text).toMatch(/validation \d/)
      expect(text).toMatch(/loss \d/)
    }
  })

  test('draws metrics, and colours where they are wanted', () => {
    expect(historyPlot(ten, { ...small, measure: 'accuracy' })).toContain(' accuracy 0.6833\n')
    const coloured = historyPlot(ten, { ...small, colour: true })
    expect(coloured).toContain(`${escapeCode}[36mloss 0.3167${escapeCode}[39m`)
    expect(coloured).toContain(`${escapeCode}[33mvalidation 0.6033${escapeCode}[39m`)
    const plain = [36, 33, 39].reduce((text, code) => text.replaceAll(`${escapeCode}[${code}m`, ''), coloured)
    expect(plain).toBe(historyPlot(ten, small))
  })

  test('says where there is nothing to draw', () => {
    expect(historyPlot([])).toBe('loss has no number that can be drawn\n')
    expect(historyPlot([record(0, Number.NaN)])).toBe('loss has no number that can be drawn\n')
  })

  test('refuses measures that there are not and options that are wrong', () => {
    expect(() => historyPlot(ten, { measure: 'f1' })).toThrow(
      "historyPlot: 'f1' was not measured; use one of loss, accuracy",
    )
    expect(() => historyPlot(ten, { width: 39 })).toThrow(
      'historyPlot: width must be an integer from 40 on, got 39',
    )
    expect(() => historyPlot(ten, { height: 1.5 })).toThrow(RangeError)
    expect(() => historyPlot(ten, { colour: 'no' as never })).toThrow(
      'historyPlot: colour must be true or false, got a string',
    )
    expect(() => historyPlot(ten, { scale: 'cubic' as never })).toThrow(
      "historyPlot: unknown scale 'cubic'; use 'linear' or 'log'",
    )
    expect(() => historyPlot(ten, { measure: 1 as never })).toThrow(TypeError)
  })
})

describe('brailleCanvas', () => {
  test('has each of the eight dots of a cell in its place', () => {
    const order = [0, 1, 2, 3].flatMap((y) =>
      [0, 1].map((x) => {
        const canvas = brailleCanvas(1, 1)
        canvas.line([x, y], [x, y], 36, false)
        return canvas.row(0, false)
      }),
    )
    expect(order.join('')).toBe('⠁⠈⠂⠐⠄⠠⡀⢀')
  })
})

/** A stream that remembers each picture. */
function screen(more: Partial<Terminal> = {}) {
  const pictures: string[] = []
  const stream: Terminal = { ...more, write: (text: unknown) => pictures.push(String(text)) > 0 }
  return { stream, pictures }
}
const run = (options: PlotOptions, more: object = {}) =>
  result(fit(line, { ...twoPoints, epochs: 3, monitors: [plot(options)], ...more }))

describe('plot', () => {
  test('draws over the picture before, after each epoch, on a terminal', async () => {
    const { stream, pictures } = screen({ isTTY: true, columns: 61 })
    const { history } = await run({ stream, height: 4 })
    const options = { height: 4, width: 60 }
    expect(pictures).toEqual([
      historyPlot(history.slice(0, 1), options),
      `${escapeCode}[6A${escapeCode}[J${historyPlot(history.slice(0, 2), options)}`,
      `${escapeCode}[6A${escapeCode}[J${historyPlot(history, options)}`,
    ])
  })

  test('waits for the validation of an epoch', async () => {
    const { stream, pictures } = screen({ isTTY: true })
    const { history } = await run({ stream }, { validation: twoPoints.data })
    expect(pictures).toHaveLength(3)
    expect(pictures[2]).toContain(historyPlot(history))
    expect(pictures[0]).toContain('validation')
  })

  test('draws once at the end, without escape sequences, where there is no terminal', async () => {
    const { stream, pictures } = screen({ hasColors: () => true })
    const { history } = await run({ stream })
    expect(pictures).toEqual([historyPlot(history)])
  })

  test('has colours where the terminal wants them', async () => {
    const { stream, pictures } = screen({ isTTY: true, hasColors: () => true })
    await run({ stream })
    expect(pictures[0]).toContain(`${escapeCode}[36m`)
    const plain = screen({ isTTY: true, hasColors: () => false })
    await run({ stream: plain.stream })
    expect(plain.pictures[0]).not.toContain(escapeCode)
  })

  test('forgets epochs that a run goes back behind', async () => {
    const { stream, pictures } = screen()
    const { history } = await run({ stream }, { epochs: 4, callbacks: [goingBack()] })
    expect(history.map(({ epoch }) => epoch)).toEqual([0, 1, 2, 3])
    expect(pictures).toEqual([historyPlot(history)])

    // Where it goes otherwise the second time.
    const again = screen()
    const tell = plot({ stream: again.stream })
    const epoch = (number: number, loss: number): TrainEvent =>
      ({ ...record(number, loss), type: 'epoch', step: number + 1 }) as TrainEvent
    const at = { step: 1, epoch: 1 }
    for (const event of [epoch(0, 4), epoch(1, 9), epoch(2, 8)]) tell(event)
    tell({ type: 'command', command: { type: 'restore', from: 'latest' }, source: 'test', ...at })
    for (const event of [epoch(1, 3), epoch(2, 2)]) tell(event)
    tell({ type: 'end', step: 3, epoch: 3 } as TrainEvent)
    expect(again.pictures).toEqual([historyPlot([record(0, 4), record(1, 3), record(2, 2)])])
  })

  test('takes no epoch of a run that was given up into the next', () => {
    const { stream, pictures } = screen()
    const tell = plot({ stream })
    const info = { hasValidation: true }
    const start = { type: 'start', step: 0, epoch: 0, info } as TrainEvent
    for (const loss of [4, 2]) {
      tell(start)
      tell({ ...record(0, loss), type: 'epoch', step: 1, validates: true } as TrainEvent)
    }
    tell({ type: 'end', step: 1, epoch: 1 } as TrainEvent)
    expect(pictures).toEqual([historyPlot([record(0, 2)])])
  })

  test('that fails is logged once, and the run goes on', async () => {
    const logs: string[] = []
    const log = (message: string, error: unknown): number => logs.push(`${message}: ${error}`)
    const { stream } = screen({ isTTY: true })
    expect((await run({ stream, measure: 'f1' }, { log })).reason).toBe('completed')
    expect(logs).toEqual([
      "fit: monitor 0 failed and was detached; the run goes on: RangeError: historyPlot: 'f1' was not measured; use one of loss",
    ])
  })

  test('refuses options that are wrong, at once', () => {
    expect(() => plot({ height: 0 })).toThrow('plot: height must be an integer from 2 on, got 0')
  })
})
