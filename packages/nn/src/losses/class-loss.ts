import * as t from '@tapeflow/autodiff'
import { checkTensor } from '../targets.ts'
import { checkClassCount, checkClassWeights } from './class-weights.ts'
import { checkReduction, type Loss, type Reduction, reduceRows } from './reduction.ts'

/** What all losses over rows of classes take. */
export interface ClassOptions {
  readonly reduction: Reduction
  readonly classWeights: readonly number[] | undefined
}

/** The loss of each row `[rows, …]`, from predictions `[rows, …, classes]`; `weights` are those that rows are counted by. */
type RowLoss = (prediction: t.Tensor, target: t.Tensor, weights: t.Tensor | undefined) => t.Tensor

/** The loss of targets that are a row of numbers for each row of the prediction. */
export function rowsLoss(
  operation: string,
  options: ClassOptions,
  rowLoss: RowLoss,
  forLabels = 't.oneHot(labels, classes)',
): Loss {
  const check = ({ shape }: t.Tensor, target: t.Tensor, places: t.Shape): void => {
    if (t.sameShape(target.shape, shape)) return
    const got = t.sameShape(target.shape, places) ? 'labels ' : ''
    t.failRange(
      operation,
      `the target must be rows ${t.showShape(shape)}, got ${got}${t.showShape(target.shape)}`,
      `use ${forLabels} for labels`,
    )
  }
  return classLoss(operation, options, rowLoss, check, (target) => target)
}

/** The loss of targets that are a label for each row of the prediction. */
export function labelsLoss(
  operation: string,
  options: ClassOptions,
  rowLoss: RowLoss,
  forRows: string,
): Loss {
  const check = ({ shape }: t.Tensor, target: t.Tensor, places: t.Shape): void => {
    if (!t.sameShape(target.shape, places)) {
      const isRows = t.sameShape(target.shape, shape)
      t.failRange(
        operation,
        `the target must be labels ${t.showShape(places)}, got ${isRows ? 'rows ' : ''}${t.showShape(target.shape)}`,
        isRows ? `use ${forRows} for rows` : 'pass one label for each row of the prediction',
      )
    }
    t.checkIndices(operation, target, shape[shape.length - 1]!, { index: 'label', place: 'row' })
  }
  return classLoss(operation, options, rowLoss, check, t.oneHot)
}

function classLoss(
  operation: string,
  { reduction, classWeights }: ClassOptions,
  rowLoss: RowLoss,
  check: (prediction: t.Tensor, target: t.Tensor, places: t.Shape) => void,
  shares: (target: t.Tensor, classes: number) => t.Tensor,
): Loss {
  checkReduction(operation, reduction)
  checkClassWeights(operation, classWeights)
  return (prediction, target, weights) => {
    const places = checkPrediction(operation, prediction, classWeights)
    checkTensor(operation, 'target', target)
    check(prediction, target, places)
    checkPlaceWeights(operation, weights, places)
    return t.scope(() => {
      // Of the classes that a row is a mixture of, by their shares.
      const own =
        classWeights &&
        t.sum(t.mul(shares(target, classWeights.length), t.tensor([...classWeights])), { axis: -1 })
      const counts = together(places, weights, own)
      return reduceRows(rowLoss(prediction, target, counts), reduction, counts)
    })
  }
}

/** The shape of what is classified: that of the prediction without its classes. */
function checkPrediction(
  operation: string,
  prediction: t.Tensor,
  classWeights: readonly number[] | undefined,
): t.Shape {
  checkTensor(operation, 'prediction', prediction)
  const { shape } = prediction
  const classes = shape[shape.length - 1]
  if (shape.length < 2 || classes === undefined || classes === 0) {
    t.failRange(
      operation,
      `the prediction must be [rows, …, classes], got ${t.showShape(shape)}`,
      'reshape it',
    )
  }
  checkClassCount(operation, classWeights, classes)
  return shape.slice(0, -1)
}

function checkPlaceWeights(operation: string, weights: t.Tensor | undefined, places: t.Shape): void {
  if (weights === undefined) return
  checkTensor(operation, 'weights', weights)
  const ofRows = places.slice(0, 1)
  if (t.sameShape(weights.shape, ofRows) || t.sameShape(weights.shape, places)) return
  const either = places.length === 1 ? '' : ` or ${t.showShape(places)}`
  t.failRange(
    operation,
    `the weights must have shape ${t.showShape(ofRows)}${either}, got ${t.showShape(weights.shape)}`,
    'pass one number for each row of the prediction',
  )
}

/** Weights that were given and those of classes, multiplied: one for each place. */
function together(
  places: t.Shape,
  weights: t.Tensor | undefined,
  own: t.Tensor | undefined,
): t.Tensor | undefined {
  if (weights === undefined) return own
  if (weights.rank === places.length) return own === undefined ? weights : t.mul(weights, own)
  const column = t.reshape(weights, [weights.size, ...places.slice(1).map(() => 1)])
  return t.mul(column, own ?? t.ones(places))
}
