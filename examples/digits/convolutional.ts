import * as t from '@tapeflow/autodiff'
import {
  accuracy,
  conv2d,
  dropout,
  flatten,
  heNormal,
  linear,
  maxPool2d,
  relu,
  reshape,
  sequential,
  sparseCrossEntropy,
} from '@tapeflow/nn'
import { adam } from '@tapeflow/optim'
import { type Callback, earlyStopping, fit, result } from '@tapeflow/train'
import { type digitsApart, predictBy, type Trained, warmThenCool } from './train.ts'

/**
 * Trains a convolutional network on handwritten digits: two rounds of filters, pooling and rectified linear units, after LeNet
 * (LeCun, Bottou, Bengio, Haffner 1998), and one linear layer.
 *
 * @param progress shows how it goes
 */
export async function trainConvolutional(
  { train, validation }: ReturnType<typeof digitsApart>,
  { epochs, seed }: { readonly epochs: number; readonly seed: number },
  progress: Callback,
): Promise<Trained> {
  // 28 x 28 -> 24 x 24 x 16 -> 12 x 12 x 16 -> 8 x 8 x 32 -> 4 x 4 x 32 -> a score for each of the ten digits
  const model = sequential(
    reshape([28, 28, 1]),
    conv2d(1, 16, 5, { weight: heNormal }),
    maxPool2d(2),
    relu(),
    conv2d(16, 32, 5, { weight: heNormal }),
    maxPool2d(2),
    relu(),
    flatten(),
    dropout(0.5),
    linear(4 * 4 * 32, 10),
  )

  const batches = train.shuffle({ key: t.key(seed) }).batch(64)
  const run$ = fit(model, {
    data: batches,
    validation: validation.batch(250),
    loss: sparseCrossEntropy(),
    optimizer: adam({ learningRate: warmThenCool(0.004, epochs * batches.length!) }),
    metrics: [accuracy()],
    epochs,
    seed,
    callbacks: [progress, earlyStopping({ monitor: 'validation.loss', patience: 3 })],
  })
  const { params, state, history, reason } = await result(run$)

  const scores = (images: t.Tensor): t.Tensor =>
    model.apply(t.fromSnapshot(params), t.fromSnapshot(state), images, { training: false, path: '' }).y
  return { reason, history, predict: predictBy(scores) }
}
