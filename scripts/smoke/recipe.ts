// What is trained, here or in a worker: y = 1 - 2x.
import { key } from '@tapeflow/autodiff'
import { dataset } from '@tapeflow/data'
import { linear, mse, sequential, tanh } from '@tapeflow/nn'
import { adam } from '@tapeflow/optim'
import type { FitArguments } from '@tapeflow/train'

export default function recipe({ steps }: { readonly steps: number }): FitArguments {
  const x = Float32Array.from({ length: 32 }, (_, i) => i / 16 - 1)
  const points = dataset({
    x: { shape: [32, 1], values: x },
    y: { shape: [32, 1], values: x.map((value) => 1 - 2 * value) },
  })
  return {
    model: sequential(linear(1, 8), tanh(), linear(8, 1)),
    data: points.shuffle({ key: key(2) }).batch(16),
    loss: mse(),
    optimizer: adam({ learningRate: 0.05 }),
    steps,
    seed: 1,
  }
}
