import type { Tensor } from '@tapeflow/autodiff'
import type { Measure } from './metric.ts'

/**
 * What a metric or another measure comes to over one batch.
 *
 * @param of `accuracy()`, `confusionMatrix()` and so on
 * @param weights `[rows]`, how much each sample counts; 1 where they are left out
 * @example
 * measure(accuracy(), t.tensor([[0.9, 0.1], [0.2, 0.8]]), t.tensor([0, 0])) // => 0.5
 */
export function measure<S, R>(of: Measure<S, R>, prediction: Tensor, target: Tensor, weights?: Tensor): R {
  return of.result(of.update(of.init(), prediction, target, weights))
}
