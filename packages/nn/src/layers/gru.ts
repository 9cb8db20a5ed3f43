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

/**
 * Parameters of a gru, gates side by side: weight `[in, 3 out]`, recurrentWeight `[out, 3 out]`, bias `[3 out]`, and
 * recurrentBias `[3 out]` unless `resetAfter` is off.
 */
export type GruParams<ResetAfter extends boolean = true> = {
  readonly weight: t.Tensor
  readonly recurrentWeight: t.Tensor
  readonly bias: t.Tensor
} & (ResetAfter extends true ? { readonly recurrentBias: t.Tensor } : unknown)

/** How a gru works and starts. */
export interface GruOptions<
  ResetAfter extends boolean = boolean,
  Rows extends number | undefined = number | undefined,
> extends RecurrentOptions<Rows> {
  /** Of the candidate; `t.tanh` by default. */
  readonly activation?: (x: t.Tensor) => t.Tensor
  /** Whether the reset gate acts on the product with U, and not on h before it; it does by default. */
  readonly resetAfter?: ResetAfter
}

type AnyGruParams = GruParams<false> & { readonly recurrentBias?: t.Tensor }

/**
 * A layer of gated recurrent units: the update gate z mixes the old hidden state h with a candidate n, for which the reset gate
 * r lets through a part of the old one.
 *
 *     z, r = sigmoid(x_t W + b + h_(t-1) U + c)     each with columns of its own
 *     n = tanh(x_t W + b + r (h_(t-1) U + c))       h_t = z h_(t-1) + (1 - z) n
 *
 * Columns stand in the order z, r, n, as in Keras; PyTorch has r, z, n. h begins at 0. The last h comes out, or all.
 *
 * With `resetAfter: false` it is the one of the paper, with no c: n = tanh(x_t W + b + (r h_(t-1)) U). The other one is that
 * of cuDNN, Keras and PyTorch: all products with U are one. Chung et al. (2014) write 1 - z for z.
 *
 * @param inSize how many features a step has
 * @param outSize how many it gives: the size of h
 * @param options.activation in the place of tanh
 * @param options.resetAfter false for the form of the paper; true by default
 * @param options.returnSequences the output of every step; of the last step alone by default, as in Keras
 * @param options.reverse from the last step to the first: the "last" is then the first; outputs stand where their steps were
 * @param options.paddingValue steps whose features all equal it are padding: they change nothing, and give 0, so that 0 is
 * right behind an `embedding` with `padding` or another such layer. A mask `[rows, steps]` as the fifth argument of `apply` takes
 * its place
 * @param options.statefulRows keeps h between calls, as the layer's state `{ hidden }`, for batches of so many rows, at
 * inference too; `resetRecurrentState` begins anew
 * @param options.weight initializer of W, `glorotUniform` by default
 * @param options.recurrentWeight initializer of U, `orthogonal()` by default
 * @param options.bias initializer of b and c, `zeros` by default
 * @returns a layer `[rows, steps, inSize]` -> `[rows, outSize]`, for `returnSequences` `[rows, steps, outSize]`
 * @throws RangeError for sizes and options out of range; in `init` and `apply` when shapes do not fit: names the layer's path
 * @example
 * const layer = gru(2, 3)
 * const { params, state, outputShape } = layer.init(t.key(1), [4, 2])
 * outputShape // => [3]
 * const x = t.normal(t.key(2), [1, 4, 2])
 * const padded = t.concat([x, t.full([1, 5, 2], NaN)], { axis: 1 })
 * const mask = t.tensor([[1, 1, 1, 1, 0, 0, 0, 0, 0]])
 * const ctx = { training: true, path: '' }
 * layer.apply(params, state, padded, ctx, mask).y.toArray() // => layer.apply(params, state, x, ctx).y.toArray()
 *
 * Cho et al.: Learning phrase representations using RNN encoder-decoder for statistical machine translation (EMNLP 2014)
 */
export function gru<
  const In extends number,
  const Out extends number,
  const ResetAfter extends boolean = true,
  const Rows extends number | undefined = undefined,
>(
  inSize: In,
  outSize: Out,
  options?: GruOptions<ResetAfter, Rows>,
): RecurrentLayer<GruParams<ResetAfter>, KeptState<Rows, HiddenState>, In, Out>
export function gru(
  inSize: number,
  outSize: number,
  options: GruOptions = {},
): RecurrentLayer<AnyGruParams, HiddenState | null> {
  const { activation = t.tanh, resetAfter = true } = t.knownOptions(
    'gru',
    options,
    'activation resetAfter returnSequences reverse paddingValue statefulRows weight recurrentWeight bias',
  )
  const { weight = glorotUniform, recurrentWeight = orthogonal(), bias = zeros } = options
  checkActivation('gru', activation)
  const named = namedActivation(activation, recurrentActivations)
  return recurrent<AnyGruParams, HiddenState>(
    {
      name: 'gru',
      inSize,
      outSize,
      config: named && { ...named, resetAfter },
      draw: (key) => ({
        weight: drawn('gru', key, 'weight', weight, [inSize, 3 * outSize]),
        recurrentWeight: drawn('gru', key, 'recurrentWeight', recurrentWeight, [outSize, 3 * outSize]),
        bias: drawn('gru', key, 'bias', bias, [3 * outSize]),
        ...(resetAfter && { recurrentBias: drawn('gru', key, 'recurrentBias', bias, [3 * outSize]) }),
      }),
      begin: (rows) => ({ hidden: t.zeros([rows, outSize]) }),
      project: (params, x) => t.linear(x, params.weight, params.bias),
      step: (params, { hidden }, projected) => {
        const [ofGates, ofCandidate] = parts(projected, outSize)
        if (resetAfter) {
          const [gates, candidate] = parts(
            t.linear(hidden, params.recurrentWeight, params.recurrentBias),
            outSize,
          )
          const [z, r] = gatesOf(t.add(ofGates, gates))
          return mixed(z, hidden, activation(t.add(ofCandidate, t.mul(r, candidate))))
        }
        const [gateWeight, candidateWeight] = parts(params.recurrentWeight, outSize)
        const [z, r] = gatesOf(t.add(ofGates, t.matmul(hidden, gateWeight)))
        const reset = t.matmul(t.mul(r, hidden), candidateWeight)
        return mixed(z, hidden, activation(t.add(ofCandidate, reset)))
      },
    },
    options,
  )
}

type Two = [t.Tensor, t.Tensor]

function parts(x: t.Tensor, outSize: number): Two {
  return t.split(x, [2 * outSize, outSize], { axis: -1 }) as Two
}

function gatesOf(sums: t.Tensor): Two {
  return t.split(t.sigmoid(sums), 2, { axis: -1 }) as Two
}

function mixed(z: t.Tensor, hidden: t.Tensor, candidate: t.Tensor): HiddenState {
  return { hidden: t.add(t.mul(z, hidden), t.mul(t.sub(1, z), candidate)) }
}
