// Trains with @tapeflow/train: a run is an observable.
import { key } from '@tapeflow/autodiff'
import { dataset } from '@tapeflow/data'
import { linear, mse, sequential, tanh } from '@tapeflow/nn'
import { adam } from '@tapeflow/optim'
import { fit, losses } from '@tapeflow/train'
import { lastValueFrom, map, toArray } from 'rxjs'

/** Losses of 60 steps on y = 1 - 2x. */
export function stream(): Promise<number[]> {
  const x = Float32Array.from({ length: 32 }, (_, i) => i / 16 - 1)
  const points = dataset({
    x: { shape: [32, 1], values: x },
    y: { shape: [32, 1], values: x.map((value) => 1 - 2 * value) },
  })
  const run = fit(sequential(linear(1, 8), tanh(), linear(8, 1)), {
    data: points.shuffle({ key: key(2) }).batch(16),
    loss: mse(),
    optimizer: adam({ learningRate: 0.05 }),
    steps: 60,
    seed: 1,
  })
  return lastValueFrom(
    run.pipe(
      losses(),
      map(({ loss }) => loss),
      toArray(),
    ),
  )
}
