// Run by kept-events-memory.node.test.ts in a process of its own: trains with checkpoints, keeps events of the run, and prints what of it
// has been collected when it is over.
import { linear, mse } from '@tapeflow/nn'
import { sgd } from '@tapeflow/optim'
import { type BatchSource, checkpointEvery, fit, type TrainEvent } from '../src/index.ts'

const collect = (globalThis as { gc?: () => void }).gc!
const kept: TrainEvent[] = []
const refs: Record<string, WeakRef<object>> = {}

const run = (): Promise<void> => {
  const batch = {
    x: { shape: [2, 1], values: Float32Array.of(1, 2) },
    y: { shape: [2, 1], values: Float32Array.of(2, 4) },
  }
  const data: BatchSource = {
    length: 1,
    iterate: () => {
      let done = false
      return {
        next: () => {
          if (done) return { done, value: undefined }
          done = true
          return { done: false, value: batch }
        },
      }
    },
  }
  refs['data'] = new WeakRef(data)
  refs['batch'] = new WeakRef(batch)
  const callbacks = [checkpointEvery({ epochs: 1 })]
  const options = {
    data,
    validation: data,
    loss: mse(),
    optimizer: sgd({ learningRate: 0.1 }),
    epochs: 5,
    callbacks,
  }
  return new Promise((resolve, reject) => {
    fit(linear(1, 1), options).subscribe({
      next: (event) => {
        // A checkpoint and the end are kept for what they hold.
        if (event.type !== 'checkpoint' && event.type !== 'end') kept.push(event)
      },
      error: reject,
      complete: resolve,
    })
  })
}

await run()
for (let i = 0; i < 5; i++) {
  await new Promise((resolve) => setTimeout(resolve, 1))
  collect()
}
const left = Object.entries(refs).filter(([, ref]) => ref.deref() !== undefined)
console.log(
  JSON.stringify({ kept: [...new Set(kept.map(({ type }) => type))], left: left.map(([name]) => name) }),
)
