import * as t from '@tapeflow/autodiff'
import type { SizePreserving } from '../layer.ts'
import { activation } from './activation.ts'

/**
 * A layer of leaky rectified linear units: y = x where x > 0, else slope x, element by element. No parameters, any shape.
 *
 * Where `relu` has no gradient it has the slope, so that no unit dies. The gradient at 0 is the slope. Weights before it are best drawn by
 * `heNormal`. With a slope that is trained it is `prelu`.
 *
 * @param slope below 0, any finite number; 0.01 by default, as in the paper and in PyTorch (Keras: 0.3)
 * @throws RangeError for a slope that is not finite
 * @example
 * leakyRelu(0.5).apply(null, null, t.tensor([[-4, 2]]), { training: true, path: '' }).y.toArray() // => [[-2, 2]]
 *
 * Maas, Hannun, Ng: Rectifier nonlinearities improve neural network acoustic models (ICML 2013)
 */
export function leakyRelu(slope = 0.01): SizePreserving<null, null> {
  if (!Number.isFinite(slope)) t.failRange('leakyRelu', `the slope must be a finite number, got ${slope}`)
  return activation(`leakyRelu ${slope}`, (x) => t.leakyRelu(x, slope))
}
