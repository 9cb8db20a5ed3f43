import { failType, knownOptions, log, logSoftmax, scope } from '@tapeflow/autodiff'
import { checkTensor } from '../targets.ts'
import { classRows } from './class-rows.ts'
import { averaged, type MeanState, noMean } from './mean-error.ts'
import type { Metric } from './metric.ts'

/** What predictions are. */
export interface PerplexityOptions {
  /** Whether predictions are any numbers (the default) or probabilities that add up to 1. */
  readonly from?: 'logits' | 'probabilities'
}

/**
 * Of how many equally likely classes a model is as unsure: exp of the mean cross-entropy, exp(-sum of w ln p(target) / sum of
 * w). 1 is certain and right; as many as there are classes is a guess; Infinity where a true class was given probability 0.
 *
 * @param options.from `'logits'` (default) or `'probabilities'`
 * @returns a metric over predictions `[rows, classes]`, or `[rows, time, classes]`, and targets that are labels `[rows]`, `[rows, time]`, or
 * rows of probabilities of the prediction's shape; weights `[rows]` or `[rows, time]`, 0 for what is only padding
 * @throws RangeError when shapes do not fit or a label is out of range: names it and its row; TypeError for a bad option
 * @example
 * measure(perplexity(), t.zeros([3, 8]), t.tensor([0, 5, 7])) // => 8
 * measure(perplexity({ from: 'probabilities' }), t.tensor([[0.25, 0.75]]), t.tensor([0])) // => 4
 *
 * Jelinek, Mercer, Bahl, Baker: Perplexity, a measure of the difficulty of speech recognition tasks (1977)
 */
export function perplexity(options: PerplexityOptions = {}): Metric<MeanState> {
  const { from = 'logits' } = knownOptions('perplexity', options, 'from')
  if (from !== 'logits' && from !== 'probabilities') {
    failType('perplexity', `from must be 'logits' or 'probabilities', got '${String(from)}'`)
  }
  return {
    name: 'perplexity',
    init: noMean,
    update: (state, prediction, target, weights) =>
      scope(() => {
        checkTensor('perplexity', 'prediction', prediction)
        const logarithms = from === 'logits' && prediction.rank > 1 ? logSoftmax(prediction) : log(prediction)
        const { count, classes, scores, rows, truth, weight } = classRows(
          'perplexity',
          logarithms,
          target,
          weights,
        )
        const loss = (row: number): number => {
          if (rows === null) return -scores[row * classes + truth[row]!]!
          let sum = 0
          for (let i = row * classes; i < (row + 1) * classes; i++) {
            if (rows[i] !== 0) sum -= rows[i]! * scores[i]!
          }
          return sum
        }
        return averaged(state, count, loss, weight)
      }),
    result: ({ sum, weight }) => Math.exp(sum / weight),
  }
}
