import {
  failRange,
  failType,
  foldIn,
  type Key,
  knownOptions,
  permutationValues,
  sameShape,
  showShape,
  type Tensor,
  tensor,
} from '@tapeflow/autodiff'
import type { LinearParams } from './layers/linear.ts'
import { checkTensor } from './targets.ts'

/** How a perceptron learns. */
export interface PerceptronOptions {
  /** Whether labels are 0 and 1 (`'zeroOne'`, the default) or -1 and +1 (`'signed'`). */
  readonly form?: 'zeroOne' | 'signed'
  /** How much of a sample a mistake adds: 1 by default. Weights begin at 0, so it only scales them. */
  readonly learningRate?: number
  /** How often the samples are seen at most: 100 by default. */
  readonly epochs?: number
  /** Draws another order of the samples for each epoch; without it they come as they stand. */
  readonly key?: Key
}

/** What a perceptron has learned. */
export interface Perceptron {
  /** Weight `[features, 1]` and bias `[1]`: the parameters of `linear(features, 1)`. */
  readonly params: LinearParams
  /** Whether the last epoch had no mistake, so that every sample is on its side. */
  readonly converged: boolean
  /** How often the samples were seen. */
  readonly epochs: number
  /** How many updates each epoch made. */
  readonly mistakes: readonly number[]
  /** What came of it in words and, where it did not converge, what to do. */
  readonly message: string
}

/**
 * A line between two classes by Rosenblatt's rule: after each sample, w <- w + lr (y - s) x and b <- b + lr (y - s), where
 * s = step(w x + b) and step(0) = 1. Ends after the first epoch without a mistake. On linearly separable data that comes after
 * at most (R / gamma)² mistakes (Novikoff), in any order and at any rate: R is the length of the longest (x, 1), gamma the
 * margin of any unit (w, b). On other data it never comes: `converged` is false, and `message` says what to do.
 *
 * With labels -1 and +1 (`'signed'`), where f = w x + b, a sample with y f <= 0 is mistaken, and w <- w + lr y x,
 * b <- b + lr y. The forms part at f = 0 only: there this one updates in either class, so it ends with y f > 0 everywhere; the
 * other has s = 1, which is right for label 1. Notes that subtract lr (y - s) x move away from the sample.
 *
 * Weights are float32, sums are taken in double precision. Without a key weights that come back at the end of an epoch show that it
 * would go round for ever, and end it early. It reads its samples, so it is called beside a function that is recorded.
 *
 * @param x `[rows, features]`, finite
 * @param y labels `[rows]`: 0 and 1, or -1 and +1
 * @returns weight and bias as `linear` has them, whether it converged, epochs, mistakes in each, and in words what came of it
 * @throws RangeError when shapes do not fit, there are no rows, x is not finite, a label is none of the two, or an option is out
 * of range; TypeError for what is no tensor, or no form
 * @example
 * const x = t.tensor([[0, 0], [0, 1], [1, 0], [1, 1]])
 * const and = perceptron(x, t.tensor([0, 0, 0, 1]))
 * and.converged // => true
 * t.step(linear(2, 1).apply(and.params, null, x, { training: false, path: '' }).y).toArray() // => [[0], [0], [0], [1]]
 * const xor = perceptron(x, t.tensor([0, 1, 1, 0]))
 * xor.converged // => false
 *
 * Rosenblatt: The perceptron (Psychological Review 1958); Novikoff: On convergence proofs on perceptrons (1962)
 */
export function perceptron(x: Tensor, y: Tensor, options: PerceptronOptions = {}): Perceptron {
  const {
    form = 'zeroOne',
    learningRate = 1,
    epochs = 100,
    key,
  } = knownOptions('perceptron', options, 'learningRate form epochs key')
  checkOptions(form, learningRate, epochs)
  const samples = samplesOf(x, y, form)
  const { rows, features } = samples
  const weights = new Float32Array(features + 1)
  const mistakes: number[] = []
  let [kept, keptAfter] = [weights.slice(), 0]
  let message = ''
  while (message === '') {
    const epoch = mistakes.length
    const order = key === undefined ? undefined : permutationValues(foldIn(key, epoch), rows)
    mistakes.push(learn(weights, samples, order, form, learningRate))
    message = ended(mistakes, epochs, key === undefined && weights.every((w, j) => w === kept[j]), keptAfter)
    // Compared with those after a power of two (Brent 1980): one copy is enough to notice any cycle.
    const done = epoch + 1
    if ((done & epoch) === 0) [kept, keptAfter] = [weights.slice(), done]
  }
  return {
    params: {
      weight: tensor(weights.subarray(0, features), [features, 1]),
      bias: tensor(weights.subarray(features), [1]),
    },
    converged: mistakes[mistakes.length - 1] === 0,
    epochs: mistakes.length,
    mistakes,
    message,
  }
}

interface Samples {
  readonly rows: number
  readonly features: number
  readonly x: Float32Array
  readonly y: Float32Array
}

/** Shows `weights`, of which the last is the bias, every sample once, and counts those that changed them. */
function learn(
  weights: Float32Array,
  { rows, features, x, y }: Samples,
  order: Uint32Array | undefined,
  form: 'zeroOne' | 'signed',
  learningRate: number,
): number {
  let count = 0
  for (let i = 0; i < rows; i++) {
    const row = order?.[i] ?? i
    let f = weights[features]!
    for (let j = 0; j < features; j++) f += weights[j]! * x[row * features + j]!
    const label = y[row]!
    const error = form === 'zeroOne' ? label - (f >= 0 ? 1 : 0) : label * f > 0 ? 0 : label
    if (error === 0) continue
    count++
    for (let j = 0; j < features; j++) weights[j]! += learningRate * error * x[row * features + j]!
    weights[features]! += learningRate * error
  }
  if (!weights.every(Number.isFinite))
    failRange('perceptron', 'the weights overflow float32', 'scale x, or pass a smaller learningRate')
  return count
}

/** What came of it, in words; nothing where it is to go on. */
function ended(mistakes: readonly number[], epochs: number, cameBack: boolean, keptAfter: number): string {
  const done = mistakes.length
  const last = mistakes[done - 1]!
  const remedy =
    'add features that tell the classes apart, or a hidden layer, or fit a loss that bears mistakes, as logistic regression does'
  if (last === 0) {
    const all = mistakes.reduce((sum, count) => sum + count, 0)
    return `perceptron: a line separates the classes, found after ${counted(done, 'epoch')} and ${counted(all, 'mistake')}`
  }
  if (cameBack)
    return `perceptron: no line found: the weights after epoch ${done} are those after epoch ${keptAfter}, so it goes round for ever; ${remedy}`
  if (done < epochs) return ''
  return `perceptron: no line found in ${counted(epochs, 'epoch')}, ${counted(last, 'mistake')} in the last; pass more epochs if the classes are linearly separable, or else ${remedy}`
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

function checkOptions(form: string, learningRate: number, epochs: number): void {
  if (form !== 'zeroOne' && form !== 'signed')
    failType('perceptron', `form must be 'zeroOne' or 'signed', got '${String(form)}'`)
  // As the float32 that weights of 0 are moved by.
  const rate = typeof learningRate === 'number' ? Math.fround(learningRate) : Number.NaN
  if (!(rate > 0 && rate < Number.POSITIVE_INFINITY))
    failRange('perceptron', `learningRate must be a finite float32 above 0, got ${learningRate}`)
  if (!Number.isSafeInteger(epochs) || epochs < 1)
    failRange('perceptron', `epochs must be an integer from 1 on, got ${epochs}`)
}

function samplesOf(x: Tensor, y: Tensor, form: 'zeroOne' | 'signed'): Samples {
  checkTensor('perceptron', 'samples', x)
  checkTensor('perceptron', 'labels', y)
  const [rows, features] = x.shape
  if (x.rank !== 2 || rows === undefined || features === undefined || rows === 0) {
    failRange(
      'perceptron',
      `x must be [rows, features] with a row at least, got ${showShape(x.shape)}`,
      'reshape it',
    )
  }
  if (!sameShape(y.shape, [rows])) {
    failRange(
      'perceptron',
      `y must have shape ${showShape([rows])}, got ${showShape(y.shape)}`,
      'pass one label for each row of x',
    )
  }
  const [values, labels] = [x.toFloat32Array(), y.toFloat32Array()]
  const bad = values.findIndex((value) => !Number.isFinite(value))
  if (bad >= 0) {
    failRange(
      'perceptron',
      `x must be finite, got ${values[bad]} at row ${Math.floor(bad / features)}`,
      'leave such rows out',
    )
  }
  const negative = form === 'zeroOne' ? 0 : -1
  const wrong = labels.findIndex((label) => label !== negative && label !== 1)
  if (wrong >= 0) {
    failRange(
      'perceptron',
      `labels must be ${negative} or 1, got ${labels[wrong]} at row ${wrong}`,
      form === 'zeroOne'
        ? "pass form: 'signed' for labels -1 and 1"
        : "pass form: 'zeroOne' for labels 0 and 1",
    )
  }
  return { rows, features, x: values, y: labels }
}
