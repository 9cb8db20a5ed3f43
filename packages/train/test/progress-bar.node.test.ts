import { Writable } from 'node:stream'
import { dataset } from '@tapeflow/data'
import { accuracy, linear, sparseCrossEntropy } from '@tapeflow/nn'
import { sgd } from '@tapeflow/optim'
import { tap } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { type FitOptions, fit, type RunSnapshot, result } from '../src/index.ts'
import { progressBar } from '../src/node.ts'
import { eventsOf } from './small.ts'

const data = dataset({
  x: { shape: [6, 1], values: Float32Array.of(1, 2, 3, 4, 5, 6) },
  y: { shape: [6], values: Float32Array.of(0, 0, 0, 1, 1, 1) },
}).batch(2)
const options = {
  data,
  loss: sparseCrossEntropy(),
  optimizer: sgd({ learningRate: 0.01 }),
  metrics: [accuracy()],
  epochs: 2,
}

/** A stream that remembers what was written to it. */
function screen(terminal: boolean) {
  const written: string[] = []
  const stream = new Writable({
    write: (chunk, _, done) => {
      written.push(String(chunk))
      done()
    },
  })
  return {
    stream: Object.assign(stream, terminal ? { isTTY: true, columns: 80 } : {}),
    text: () => written.join(''),
  }
}

describe('progressBar', () => {
  test('writes a plain line an epoch where the stream is no terminal', async () => {
    const { stream, text } = screen(false)
    await eventsOf(fit(linear(1, 2), { ...options, validation: data, callbacks: [progressBar({ stream })] }))
    const number = '\\d+\\.\\d{4}'
    const measured = `loss ${number} accuracy \\d\\.\\d{3}`
    const line = (epoch: number): string => `epoch ${epoch}/2  ${measured} \\| validation ${measured}\\n`
    expect(text()).toMatch(new RegExp(`^${line(1)}${line(2)}$`))
  })

  test('writes the line of an epoch that a run goes on in before its validation', async () => {
    const [straight, resumed] = [screen(false), screen(false)]
    const given = (stream: typeof straight.stream): FitOptions => ({
      ...options,
      validation: data,
      callbacks: [progressBar({ stream })],
    })
    let from: RunSnapshot | null = null
    await eventsOf(
      fit(linear(1, 2), given(straight.stream)).pipe(
        tap((event) => {
          if (event.type === 'epoch' && event.epoch === 0) from = event.snapshot()
        }),
      ),
    )
    await eventsOf(fit(linear(1, 2), { ...given(resumed.stream), from: from! }))
    expect(resumed.text()).toBe(straight.text())
  })

  // Each line waited for a validation, and took whichever came next for its own.
  for (const validateEvery of [{ epochs: 2 }, { steps: 4 }, { steps: 6 }, { epochs: 0.5 }]) {
    test(`writes each epoch with the validation that it had, with ${JSON.stringify(validateEvery)}`, async () => {
      const { stream, text } = screen(false)
      const callbacks = [progressBar({ stream })]
      const run$ = fit(linear(1, 2), { ...options, epochs: 4, validation: data, validateEvery, callbacks })
      const { history } = await result(run$)
      const lines = history.map(({ epoch, loss, validation }) => {
        const found = validation === undefined ? '' : ` | validation loss ${validation.loss.toFixed(4)}`
        return `epoch ${epoch + 1}/4  loss ${loss.toFixed(4)}${found}`
      })
      expect(text().replaceAll(/ accuracy \d\.\d{3}/g, '')).toBe(`${lines.join('\n')}\n`)
    })
  }

  test('draws a bar on a terminal with all that is to be known, and takes it off', async () => {
    const { stream, text } = screen(true)
    await eventsOf(fit(linear(1, 2), { ...options, callbacks: [progressBar({ stream, fps: 1000 })] }))
    expect(text()).toMatch(
      /epoch 1\/2 [█░]{10} loss \d\.\d{4} mean \d\.\d{4} rate 1\.0e-2 [\d,]+\/s \d:\d\d left/,
    )
    expect(text().match(/epoch \d\/2 {2}loss/g)).toHaveLength(2)
    const [hidden, shown] = ['\u001b[?25l', '\u001b[?25h']
    expect(text().split(hidden)).toHaveLength(3)
    expect(text().split(shown)).toHaveLength(3)
  })

  test('counts the batches of data that has no end', async () => {
    const { stream, text } = screen(true)
    const { epochs: _, ...others } = options
    const callbacks = [progressBar({ stream, fps: 1000 })]
    await result(fit(linear(1, 2), { ...others, data: data.repeat(), steps: 4, callbacks }))
    expect(text()).toContain('epoch 1 batch 1 loss')
    expect(text()).toMatch(/epoch 1 {2}loss \d\.\d{4} accuracy \d\.\d{3}\n/)
  })

  test('takes the bar off when the run is unsubscribed in the middle of an epoch', async () => {
    const { stream, text } = screen(true)
    await new Promise<void>((resolve) => {
      const run$ = fit(linear(1, 2), {
        ...options,
        callbacks: [progressBar({ stream })],
        pace: { budget: 0 },
      })
      const subscription = run$.subscribe((event) => {
        if (event.type !== 'step' || event.step < 1) return
        subscription.unsubscribe()
        setTimeout(resolve, 0)
      })
    })
    expect(text().split('\u001b[?25h')).toHaveLength(2)
  })
})

test.each([-1, 0, Number.NaN])('is not drawn %f times a second', (fps) => {
  expect(() => progressBar({ fps })).toThrow(`progressBar: fps must be a finite number above 0, got ${fps}`)
})
