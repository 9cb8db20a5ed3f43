import * as t from '@tapeflow/autodiff'
import { glorotUniform } from '../initializers/glorot-uniform.ts'
import { orthogonal } from '../initializers/orthogonal.ts'
import { zeros } from '../initializers/zeros.ts'
import { namedActivation } from './named-activation.ts'
import {
  checkActivation,
  drawn,
  type HiddenState,
  type KeptState,
  type RecurrentLayer,
  type RecurrentOptions,
  recurrent,
  recurrentActivations,
} from './recurrent.ts'

/** Parameters of an rnn: weight `[in, out]`, recurrentWeight `[out, out]`, bias `[out]`. */
export type RnnParams = {
  readonly weight: t.Tensor
  readonly recurrentWeight: t.Tensor
  readonly bias: t.Tensor
}

/** How an rnn works and starts. */
export interface RnnOptions<Rows extends number | undefined = number | undefined>
  extends RecurrentOptions<Rows> {
  /** What makes the hidden state of the sum; `t.tanh` by default. */
  readonly activation?: (x: t.Tensor) => t.Tensor
}

/**
 * A recurrent layer: h_t = tanh(x_t W + h_(t-1) U + b) at each step of a sequence, from h = 0 on. The last h comes out, or all.
 *
 * Over many steps its gradient vanishes or explodes with the powers of U: `gru` and `lstm` were made against that.
 *
 * @param inSize how many features a step has
 * @param outSize how many it gives: the size of h
 * @param options.activation in the place of tanh
 * @param options.returnSequences the output of every step; of the last step alone by default, as in Keras
 * @param options.reverse from the last step to the first: the "last" is then the first; outputs stand where their steps were
 * @param options.paddingValue steps whose features all equal it are padding: they change nothing, and give 0, so that 0 is
 * right behind an `embedding` with `padding` or another such layer. A mask `[rows, steps]` as the fifth argument of `apply` takes
 * its place
 * @param options.statefulRows keeps h between calls, as the layer's state `{ hidden }`, for batches of so many rows, at
 * inference too; `resetRecurrentState` begins anew
 * @param options.weight initializer of W, `glorotUniform` by default
 * @param options.recurrentWeight initializer of U, `orthogonal()` by default
 * @param options.bias initializer of b, `zeros` by default
 * @returns a layer `[rows, steps, inSize]` -> `[rows, outSize]`, for `returnSequences` `[rows, steps, outSize]`
 * @throws RangeError for sizes and options out of range; in `init` and `apply` when shapes do not fit: names the layer's path
 * @example
 * const layer = rnn(1, 1, { weight: ones, recurrentWeight: ones, activation: t.relu, returnSequences: true })
 * const { params, state } = layer.init(t.key(1), [3, 1])
 * const x = t.tensor([[[1], [2], [3]]])
 * layer.apply(params, state, x, { training: true, path: '' }).y.toArray() // => [[[1], [3], [6]]]
 *
 * Elman: Finding structure in time (Cognitive Science 1990)
 */
export function rnn<
  const In extends number,
  const Out extends number,
  const Rows extends number | undefined = undefined,
>(
  inSize: In,
  outSize: Out,
  options?: RnnOptions<Rows>,
): RecurrentLayer<RnnParams, KeptState<Rows, HiddenState>, In, Out>
export function rnn(
  inSize: number,
  outSize: number,
  options: RnnOptions = {},
): RecurrentLayer<RnnParams, HiddenState | null> {
  const {
    activation = t.tanh,
    weight = glorotUniform,
    recurrentWeight = orthogonal(),
    bias = zeros,
  } = t.knownOptions(
    'rnn',
    options,
    'activation returnSequences reverse paddingValue statefulRows weight recurrentWeight bias',
  )
  checkActivation('rnn', activation)
  return recurrent<RnnParams, HiddenState>(
    {
      name: 'rnn',
      inSize,
      outSize,
      config: namedActivation(activation, recurrentActivations),
      draw: (key) => ({
        weight: drawn('rnn', key, 'weight', weight, [inSize, outSize]),
        recurrentWeight: drawn('rnn', key, 'recurrentWeight', recurrentWeight, [outSize, outSize]),
        bias: drawn('rnn', key, 'bias', bias, [outSize]),
      }),
      begin: (rows) => ({ hidden: t.zeros([rows, outSize]) }),
      project: (params, x) => t.linear(x, params.weight, params.bias),
      step: ({ recurrentWeight }, { hidden }, projected) => ({
        hidden: activation(t.add(projected, t.matmul(hidden, recurrentWeight))),
      }),
    },
    options,
  )
}
