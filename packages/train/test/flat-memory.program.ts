// Run by flat-memory.node.test.ts in a process of its own: trains the 2-16-16-1 network through `fold` or through
// `fit`, compiled or not, in one endless epoch or in epochs of ten steps, and prints what was in use at step 1,000 and every so many
// steps.
import * as t from '@tapeflow/autodiff'
import { dataset } from '@tapeflow/data'
import { linear, mse, sequential, tanh } from '@tapeflow/nn'
import { sgd } from '@tapeflow/optim'
import { fit } from '../src/index.ts'

const model = sequential(linear(2, 16), tanh(), linear(16, 16), tanh(), linear(16, 1))

const through = process.argv[2]
const [count, every] = [Number(process.argv[3]), Number(process.argv[4])]
// Collected before each look: what is left is held, not waiting.
const collect = (globalThis as { gc?: () => void }).gc!
const memory: t.MemoryStatistics[] = []
const resident: number[] = []
const used: number[] = []
const isLook = (step: number): boolean => step === 1000 || step % every === 0
const look = (): void => {
  collect()
  memory.push(t.memory())
  const { rss, heapUsed } = process.memoryUsage()
  resident.push(rss)
  used.push(heapUsed)
}

function throughFold(): void {
  const state = { layers: [null, null, null, null, null] } as const
  const x = t.uniform(t.key(1), [32, 2], -1, 1)
  const y = t.sum(x, { axis: 1, keepDims: true })
  const { params } = model.init(t.key(2), [2])
  const loss = t.valueAndGrad((p: typeof params) =>
    t.mean(t.square(t.sub(model.apply(p, state, x, { training: true, path: '' }).y, y))),
  )
  t.fold(params, Array.from({ length: count + 1 }), (carry, _, step) => {
    if (isLook(step)) look()
    const { value, gradients } = loss(carry)
    value.item()
    return t.zipTensors([carry, gradients], (w, g) => t.sub(w, t.mul(g, 0.01)))
  })
  report()
}

function throughFit(): void {
  const rows = dataset({
    x: { shape: [320, 2], values: t.uniformValues(t.key(1), 640, -1, 1) },
    y: { shape: [320, 1], values: t.uniformValues(t.key(2), 320, -1, 1) },
  })
  const data = (through === 'fit, in epochs' ? rows : rows.repeat()).batch(32)
  const options = { data, loss: mse(), optimizer: sgd({ learningRate: 0.01 }), steps: count + 1 }
  fit(model, { ...options, compile: through !== 'fit, eagerly' }).subscribe({
    next: (event) => {
      if (event.type === 'step' && isLook(event.step)) look()
    },
    complete: report,
  })
}

function report(): void {
  console.log(JSON.stringify({ memory, resident, used }))
}

if (through === 'fold') throughFold()
else throughFit()
