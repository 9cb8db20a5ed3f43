// A page that trains on its main thread answers its inputs: steps are made in slices, and inputs have their turn between them.
import * as t from '@tapeflow/autodiff'
import { dataset } from '@tapeflow/data'
import { linear, relu, sequential, sparseCrossEntropy } from '@tapeflow/nn'
import { sgd } from '@tapeflow/optim'
import { NEVER, type Observable } from 'rxjs'
import { expect, test } from 'vitest'
import { userEvent } from 'vitest/browser'
import { fit, type TrainEvent } from '../src/index.ts'

const long = import.meta.env['LONG'] === '1'

/** A run without an end on digits-like data: layers of these widths, from 784 pixels to 10 classes. */
function training(hidden: readonly number[], batch: number): Observable<TrainEvent> {
  const rows = 1024
  const x = { shape: [rows, 784], values: t.uniformValues(t.key(1), rows * 784, 0, 1) }
  const y = { shape: [rows], values: Float32Array.from({ length: rows }, (_, i) => i % 10) }
  const sizes = [784, ...hidden]
  const layers = hidden.flatMap((size, i) => [linear(sizes[i]!, size), relu()])
  const model = sequential(...layers, linear(sizes.at(-1)!, 10))
  return fit(model, {
    data: dataset({ x, y }).repeat().batch(batch),
    loss: sparseCrossEntropy({ from: 'logits' }),
    optimizer: sgd({ learningRate: 0.1 }),
    steps: 1_000_000_000,
  })
}

function button(): HTMLButtonElement {
  const made = document.createElement('button')
  made.textContent = 'answer'
  document.body.append(made)
  return made
}

test('what comes in during a slice is answered before the next one', async () => {
  // As inputs do, a message waits for the thread.
  const { port1, port2 } = new MessageChannel()
  let slices = 0
  let inSlice = false
  const waited: number[] = []
  const sent: number[] = []
  port1.onmessage = () => waited.push(slices - sent[waited.length]!)
  await new Promise<void>((resolve, reject) => {
    const subscription = training([128], 64).subscribe({
      next: () => {
        if (!inSlice) {
          inSlice = true
          slices++
          // A slice is one task, with which its microtasks end.
          queueMicrotask(() => {
            inSlice = false
          })
        }
        if (waited.length === 100) {
          subscription.unsubscribe()
          resolve()
        } else if (sent.length === waited.length) {
          sent.push(slices)
          port2.postMessage(null)
        }
      },
      error: reject,
    })
  })
  port1.close()
  expect(Math.max(...waited)).toBeLessThanOrEqual(1)
})

// That an input waits for one slice at most is tested above. How long that takes is for the reader: a machine with other work
// keeps a page waiting that does nothing.
test('clicks are answered while it trains; how long many took is told', async () => {
  const cases: readonly (readonly [hidden: readonly number[], batch: number])[] = long
    ? [
        [[128], 64],
        [[512, 512], 64],
        [[512, 512], 256],
        [[512, 512], 512],
      ]
    : [[[128], 64]]
  if (long) console.log(`at rest: ${told((await clicked(NEVER, 30)).delays)}`)
  for (const [hidden, batch] of cases) {
    const times = long ? (hidden.length === 1 ? 120 : 30) : 5
    const { delays, stepTime, ended } = await clicked(training(hidden, batch), times)
    expect(ended).toBe(false)
    if (!long) continue
    const step = `784-${hidden.join('-')}-10, batch ${batch}: a step ${stepTime.toFixed(1)} ms`
    console.log(`${step}, ${told(delays)}`)
  }
})

function told(delays: readonly number[]): string {
  const sorted = delays.toSorted((a, b) => a - b)
  const at = (part: number): string => sorted[Math.floor(part * (sorted.length - 1))]!.toFixed(1)
  return `input delay p50 ${at(0.5)}, p95 ${at(0.95)}, max ${at(1)} ms`
}

/** Clicks so many times while a run goes on: how long each took from the browser's notice to the page's answer, in ms. */
async function clicked(
  run: Observable<TrainEvent>,
  times: number,
): Promise<{ readonly delays: readonly number[]; readonly stepTime: number; readonly ended: boolean }> {
  const target = button()
  const delays: number[] = []
  target.addEventListener('pointerdown', (event) => delays.push(performance.now() - event.timeStamp))
  let [steps, seconds, ended] = [0, 0, false]
  let failure: unknown = null
  const subscription = run.subscribe({
    next: (event) => {
      if (event.type !== 'step') return
      steps++
      seconds = event.seconds
    },
    error: (error: unknown) => {
      failure = error
    },
    complete: () => {
      ended = true
    },
  })
  for (let i = 0; i < times; i++) {
    const before: number = steps
    await userEvent.click(target)
    // It trains meanwhile.
    while (run !== NEVER && steps === before && failure === null)
      await new Promise((resolve) => setTimeout(resolve, 1))
  }
  subscription.unsubscribe()
  target.remove()
  expect(failure).toBe(null)
  expect(delays).toHaveLength(times)
  return { delays, stepTime: (1000 * seconds) / steps, ended }
}
