import { key } from '@tapeflow/autodiff'
import { iris } from '@tapeflow/data'
import { accuracy, linear, sequential, sparseCrossEntropy, tanh } from '@tapeflow/nn'
import { adam } from '@tapeflow/optim'
import { fit, result } from '@tapeflow/train'
import { numbersOf, type Sample, standardizer } from './standardize.ts'

/** Trains a small network on 105 iris flowers. The share of the 45 others, 15 of each species, that it names right. */
export async function classifyIris(seed: number): Promise<number> {
  const { train, test } = iris().split({ train: 105, test: 45 })
  const standardize = standardizer(numbersOf(train, 'x'))
  const ready = ({ x, y }: Sample): Sample => ({ x: standardize(x), y })
  const run$ = fit(sequential(linear(4, 16), tanh(), linear(16, 3)), {
    data: train
      .map(ready)
      .shuffle({ key: key(seed) })
      .batch(15),
    validation: test.map(ready).batch(45),
    loss: sparseCrossEntropy(),
    metrics: [accuracy()],
    optimizer: adam({ learningRate: 0.01 }),
    epochs: 60,
    seed,
  })
  const { history } = await result(run$)
  return history.at(-1)!.validation!.metrics['accuracy']!
}
