import { knownOptions } from '@tapeflow/autodiff'
import type { Optimizer } from '../optimizer.ts'
import { updating } from '../rule.ts'
import { type MomentumOptions, velocityRule } from './momentum.ts'

/**
 * Nesterov's accelerated gradient, in the variables in which the gradient is taken at the parameters themselves:
 *
 *     V = β V + lr g
 *     W = W - (β V + lr g)
 *
 * Notes take the gradient at the point ahead, U - β V, and move U: with W = U - β V the two are the same sequence (a law of the
 * tests), and only this one needs no second set of parameters. `rate: 'outside'` is PyTorch's form.
 *
 * @returns an optimizer with the slot `velocity`
 * @throws RangeError where a number is out of range; TypeError where it is none
 * @example
 * const optimizer = nesterov({ learningRate: 0.5, momentum: 0.5 })
 * const one = optimizer.update([t.tensor(2)], optimizer.init([t.tensor(10)]), [t.tensor(10)], optimizer.hyper(0))
 * one.params[0].item() // => 8.5
 *
 * Nesterov 1983; the form is that of Sutskever, Martens, Dahl & Hinton 2013, On the importance of initialization and momentum in
 * deep learning, in Bengio, Boulanger-Lewandowski & Pascanu 2013, Advances in optimizing recurrent networks.
 */
export function nesterov(options: MomentumOptions): Optimizer<'velocity'> {
  const { learningRate, ...rest } = knownOptions('nesterov', options, 'learningRate momentum rate')
  return updating(velocityRule('nesterov', rest, true), learningRate)
}
