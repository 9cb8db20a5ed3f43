// Run by live-memory.node.test.ts in a process of its own: trains on a stream that gives a hundred batches of 4 kB for each step,
// and prints how many bytes their arrays take, collected, every so many steps.
import { fromObservable } from '@tapeflow/data'
import { linear, mse } from '@tapeflow/nn'
import { sgd } from '@tapeflow/optim'
import { Subject } from 'rxjs'
import { fit, type TrainBatch } from '../src/index.ts'

const [steps, every] = [Number(process.argv[2]), Number(process.argv[3])]
const collect = (globalThis as { gc?: () => void }).gc!
const source = new Subject<TrainBatch>()
const data = fromObservable(source, { buffer: 64, overflow: 'dropOldest' })
const looks: number[] = []
const push = (): void => {
  for (let i = 0; i < 100; i++) {
    source.next({
      x: { shape: [32, 31], values: new Float32Array(32 * 31) },
      y: { shape: [32, 1], values: new Float32Array(32) },
    })
  }
}

fit(linear(31, 1), { data, loss: mse(), optimizer: sgd({ learningRate: 0.1 }), steps }).subscribe({
  next: (event) => {
    if (event.type !== 'step') return
    push()
    if (event.step % every !== every - 1) return
    // The first leaves arrays to be freed later, which the second waits for.
    collect()
    collect()
    looks.push(process.memoryUsage().arrayBuffers)
  },
  complete: () => console.log(JSON.stringify({ looks, dropped: data.dropped })),
})
const begin = setInterval(() => {
  if (!source.observed) return
  clearInterval(begin)
  push()
}, 1)
