// Run by compiled-memory.node.test.ts in a process of its own: trains a 784-128-64-10 network for a few steps, compiled or
// eagerly, and prints the most bytes that were live in the heap at once.
import * as t from '@tapeflow/autodiff'
import { dataset } from '@tapeflow/data'
import { linear, relu, sequential, sparseCrossEntropy } from '@tapeflow/nn'
import { adam } from '@tapeflow/optim'
import { fit } from '../src/index.ts'

const model = sequential(linear(784, 128), relu(), linear(128, 64), relu(), linear(64, 10))
const data = dataset({
  x: { shape: [32, 784], values: t.uniformValues(t.key(1), 32 * 784) },
  y: { shape: [32], values: Float32Array.from({ length: 32 }, (_, i) => i % 10) },
}).batch(32)

const options = { data, loss: sparseCrossEntropy(), optimizer: adam(), steps: 5 }
fit(model, { ...options, compile: process.argv[2] === 'compiled' }).subscribe({
  complete: () => console.log(JSON.stringify(t.memory())),
})
