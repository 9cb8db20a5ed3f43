import { key, type Tree } from '@tapeflow/autodiff'
import { type Dataset, dataset, type Penguin, penguins } from '@tapeflow/data'
import { linear, mse, sequential, tanh } from '@tapeflow/nn'
import { adam, cosineDecay } from '@tapeflow/optim'
import { fit, type Model, result } from '@tapeflow/train'
import { numbersOf, type Sample, standardizer } from './standardize.ts'

/**
 * A penguin as numbers: bill length and depth, flipper length, whether it is a Chinstrap, whether a Gentoo, whether on Dream, whether on
 * Torgersen, whether male. What is to be told is its mass.
 */
function asNumbers({
  billLength,
  billDepth,
  flipperLength,
  species,
  island,
  sex,
  bodyMass,
}: Penguin): Sample {
  const [kind, place] = [species.values[0]!, island.values[0]!]
  const measures = [billLength, billDepth, flipperLength].map(({ values }) => values[0]!)
  const marks = [kind === 1, kind === 2, place === 1, place === 2].map(Number)
  const x = Float32Array.of(...measures, ...marks, sex.values[0]!)
  return { x: { shape: [8], values: x }, y: { shape: [1], values: bodyMass.values } }
}

/** 233 penguins to learn from and 100 others, without the 11 that lack a value. */
export function penguinsApart(): { readonly train: Dataset<Sample>; readonly test: Dataset<Sample> } {
  return penguins().map(asNumbers).split({ train: 233, test: 100 })
}

/** The share of the variance of the 100 other penguins' masses that a model explains after it was trained. */
async function explainedBy<P extends Tree, S extends Tree>(
  model: Model<P, S>,
  { seed, epochs, rate }: { readonly seed: number; readonly epochs: number; readonly rate: number },
): Promise<number> {
  const { train, test } = penguinsApart()
  const [features, mass] = [standardizer(numbersOf(train, 'x')), standardizer(numbersOf(train, 'y'))]
  const ready = ({ x, y }: Sample): Sample => ({ x: features(x), y: mass(y) })
  const rows = Array.from(train.map(ready))
  const batches = dataset(rows)
    .shuffle({ key: key(seed) })
    .batch(32)
  const run$ = fit(model, {
    data: batches,
    validation: test.map(ready).batch(100),
    loss: mse(),
    optimizer: adam({ learningRate: cosineDecay({ from: rate, steps: epochs * batches.length! }) }),
    epochs,
    seed,
  })
  const { history } = await result(run$)
  const masses = numbersOf(test.map(ready), 'y').map(([value]) => value!)
  const mean = masses.reduce((a, b) => a + b) / masses.length
  const variance = masses.reduce((sum, value) => sum + (value - mean) ** 2, 0) / masses.length
  return 1 - history.at(-1)!.validation!.loss / variance
}

/** Of linear regression by gradient descent. */
export function linearShare(seed: number): Promise<number> {
  return explainedBy(linear(8, 1), { seed, epochs: 200, rate: 0.05 })
}

/** Of a small network. */
export function networkShare(seed: number): Promise<number> {
  return explainedBy(sequential(linear(8, 16), tanh(), linear(16, 1)), { seed, epochs: 100, rate: 0.02 })
}
