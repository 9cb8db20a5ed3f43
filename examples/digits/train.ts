import * as t from '@tapeflow/autodiff'
import { type Batch, type Dataset, type Digit, digits } from '@tapeflow/data'
import { accuracy, heNormal, linear, relu, sequential, sparseCrossEntropy } from '@tapeflow/nn'
import { adam, cosineDecay, join, type Schedule, sgd, warmup } from '@tapeflow/optim'
import {
  type Callback,
  type EpochRecord,
  earlyStopping,
  fit,
  result,
  type TrainCommand,
} from '@tapeflow/train'
import type { Observable } from 'rxjs'

/** What can be chosen on the command line. */
export interface Choices {
  readonly epochs: number
  readonly batchSize: number
  /** The highest rate, at the end of the warm-up. */
  readonly learningRate: number
  readonly optimizer: 'adam' | 'sgd'
  readonly seed: number
  /** Sizes of the hidden layers. */
  readonly hidden: readonly number[]
}

/** A classifier that has been trained. */
export interface Trained {
  /** Why training ended. */
  readonly reason: string
  readonly history: readonly EpochRecord[]
  /** From images `[rows, 784]` to the probability of each digit, `[rows, 10]`. */
  readonly predict: (images: Batch) => Float32Array
}

/** 8,000 digits to learn from, 1,000 to watch how it goes, 1,000 to look at once, at the end: the same for every seed. */
export function digitsApart(): { readonly [part in 'train' | 'validation' | 'test']: Dataset<Digit> } {
  return digits().split({ train: 8000, validation: 1000, test: 1000 })
}

/**
 * Trains a classifier of handwritten digits.
 *
 * @param progress shows how it goes
 * @param commands steers it from outside: `{ type: 'stop' }`
 */
export async function trainDigits(
  { train, validation }: ReturnType<typeof digitsApart>,
  { epochs, batchSize, learningRate, optimizer, seed, hidden }: Choices,
  progress: Callback,
  commands: Observable<TrainCommand>,
): Promise<Trained> {
  // 784 pixels -> hidden layers of rectified linear units -> a score for each of the ten digits
  const sizes = [784, ...hidden]
  const blocks = hidden.map((size, i) => sequential(linear(sizes[i]!, size, { weight: heNormal }), relu()))
  const model = sequential(...blocks, linear(sizes.at(-1)!, 10))

  const batches = train.shuffle({ key: t.key(seed) }).batch(batchSize)
  const rate = warmThenCool(learningRate, epochs * batches.length!)

  const run$ = fit(model, {
    data: batches,
    validation: validation.batch(250),
    loss: sparseCrossEntropy(),
    optimizer:
      optimizer === 'adam' ? adam({ learningRate: rate }) : sgd({ learningRate: rate, momentum: 0.9 }),
    metrics: [accuracy()],
    epochs,
    seed,
    callbacks: [progress, earlyStopping({ monitor: 'validation.loss', patience: 3 })],
    commands,
  })
  const { params, state, history, reason } = await result(run$)

  const scores = (images: t.Tensor): t.Tensor =>
    model.apply(t.fromSnapshot(params), t.fromSnapshot(state), images, { training: false, path: '' }).y
  return { reason, history, predict: predictBy(scores) }
}

/** The probability of each digit, from images in plain numbers to plain numbers. */
export function predictBy(scores: (images: t.Tensor) => t.Tensor): Trained['predict'] {
  return ({ shape, values }) => {
    const probabilities = t.scope(() => t.softmax(scores(t.tensor(values, shape))))
    const copy = probabilities.toFloat32Array()
    probabilities.dispose()
    return copy
  }
}

/** The first twentieth of the steps up in a straight line, the others down along a cosine to nothing. */
export function warmThenCool(rate: number, steps: number): Schedule {
  const warm = Math.max(1, Math.round(steps / 20))
  const cool = cosineDecay({ from: rate, steps: Math.max(1, steps - warm) })
  return join([warmup({ from: rate / 100, to: rate, steps: warm }), cool], [warm])
}
