import * as t from '@tapeflow/autodiff'
import type { SizePreserving } from '../layer.ts'
import { activation } from './activation.ts'
import { finite } from './finite.ts'

/**
 * A layer of rectified linear units that leak: y = x where x > 0, else slope x, element by element. No parameters, any shape.
 *
 * The gradient is never 0, so that no unit dies; at 0 it is the slope. Weights before it are best drawn by `heNormal` or
 * `heUniform`. `prelu` learns the slope.
 *
 * @param slope a finite number; 0.01 by default, as in PyTorch (Keras: 0.3)
 * @throws RangeError for another slope
 * @example
 * leakyRelu().apply(null, null, t.tensor([[-100, 2]]), { training: true, path: '' }).y.toArray() // => [[-1, 2]]
 *
 * Maas, Hannun, Ng: Rectifier nonlinearities improve neural network acoustic models (ICML 2013)
 */
export function leakyRelu(slope = 0.01): SizePreserving<null, null> {
  finite('leakyRelu', 'slope', slope, 0.01)
  return activation('leakyRelu', (x) => t.leakyRelu(x, slope), { type: 'leakyRelu', slope })
}
