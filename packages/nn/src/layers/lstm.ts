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

/** Parameters of an lstm, gates side by side: weight `[in, 4 out]`, recurrentWeight `[out, 4 out]`, bias `[4 out]`. */
export type LstmParams = {
  readonly weight: t.Tensor
  readonly recurrentWeight: t.Tensor
  readonly bias: t.Tensor
}

/** What an lstm carries from step to step, each `[rows, out]`. */
export type LstmState = HiddenState & { readonly cell: t.Tensor }

/** How an lstm works and starts. */
export interface LstmOptions<Rows extends number | undefined = number | undefined>
  extends RecurrentOptions<Rows> {
  /** Of the candidate and of the output; `t.tanh` by default. */
  readonly activation?: (x: t.Tensor) => t.Tensor
  /** Added to the bias of the forget gate when it is drawn; 1 by default. */
  readonly forgetBias?: number
}

/**
 * A layer with long short-term memory: a cell c, which gates write, keep and read, beside the hidden state h.
 *
 *     i, f, o = sigmoid(x_t W + h_(t-1) U + b)    g = tanh(x_t W + h_(t-1) U + b)    each with columns of its own
 *     c_t = f c_(t-1) + i g                       h_t = o tanh(c_t)
 *
 * Columns stand in the order i, f, g, o, as in Keras and PyTorch. Both begin at 0. The last h comes out, or all.
 *
 * The bias of the forget gate begins at 1, so that the cell is kept at first (Jozefowicz 2015; Keras likewise, PyTorch at 0).
 *
 * @param inSize how many features a step has
 * @param outSize how many it gives: the size of h and of c
 * @param options.activation in the place of tanh, in both places
 * @param options.forgetBias 1 by default
 * @param options.returnSequences the output of every step; of the last step alone by default, as in Keras
 * @param options.reverse from the last step to the first: the "last" is then the first; outputs stand where their steps were
 * @param options.paddingValue steps whose features all equal it are padding: they change nothing, and give 0, so that 0 is
 * right behind an `embedding` with `padding` or another such layer. A mask `[rows, steps]` as the fifth argument of `apply` takes
 * its place
 * @param options.statefulRows keeps h and c between calls, as the layer's state `{ hidden, cell }`, for batches of so many
 * rows, at inference too; `resetRecurrentState` begins anew
 * @param options.weight initializer of W, `glorotUniform` by default
 * @param options.recurrentWeight initializer of U, `orthogonal()` by default
 * @param options.bias initializer of b, `zeros` by default
 * @returns a layer `[rows, steps, inSize]` -> `[rows, outSize]`, for `returnSequences` `[rows, steps, outSize]`
 * @throws RangeError for sizes and options out of range; in `init` and `apply` when shapes do not fit: names the layer's path
 * @example
 * const layer = lstm(2, 3, { statefulRows: 1 })
 * const { params, state } = layer.init(t.key(1), [4, 2])
 * params.bias.toArray() // => [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0]
 * const made = layer.apply(params, state, t.ones([1, 4, 2]), { training: true, path: '' })
 * made.y.toArray() // => made.state.hidden.toArray()
 *
 * Hochreiter & Schmidhuber: Long short-term memory (Neural Computation 1997); the forget gate: Gers, Schmidhuber, Cummins:
 * Learning to forget (2000); its bias: Jozefowicz, Zaremba, Sutskever: An empirical exploration of recurrent network
 * architectures (ICML 2015)
 */
export function lstm<
  const In extends number,
  const Out extends number,
  const Rows extends number | undefined = undefined,
>(
  inSize: In,
  outSize: Out,
  options?: LstmOptions<Rows>,
): RecurrentLayer<LstmParams, KeptState<Rows, LstmState>, In, Out>
export function lstm(
  inSize: number,
  outSize: number,
  options: LstmOptions = {},
): RecurrentLayer<LstmParams, LstmState | null> {
  const { activation = t.tanh, forgetBias = 1 } = t.knownOptions(
    'lstm',
    options,
    'activation forgetBias returnSequences reverse paddingValue statefulRows weight recurrentWeight bias',
  )
  const { weight = glorotUniform, recurrentWeight = orthogonal(), bias = zeros } = options
  checkActivation('lstm', activation)
  if (!Number.isFinite(forgetBias))
    t.failRange('lstm', `forgetBias must be a finite number, got ${forgetBias}`)
  return recurrent<LstmParams, LstmState>(
    {
      name: 'lstm',
      inSize,
      outSize,
      config: namedActivation(activation, recurrentActivations),
      draw: (key) => ({
        weight: drawn('lstm', key, 'weight', weight, [inSize, 4 * outSize]),
        recurrentWeight: drawn('lstm', key, 'recurrentWeight', recurrentWeight, [outSize, 4 * outSize]),
        bias: t.scope(() => {
          const plain = drawn('lstm', key, 'bias', bias, [4 * outSize])
          const added = [t.zeros([outSize]), t.full([outSize], forgetBias), t.zeros([2 * outSize])]
          return t.add(plain, t.concat(added))
        }),
      }),
      begin: (rows) => ({ hidden: t.zeros([rows, outSize]), cell: t.zeros([rows, outSize]) }),
      project: (params, x) => t.linear(x, params.weight, params.bias),
      step: ({ recurrentWeight }, { hidden, cell }, projected) => {
        const sums = t.add(projected, t.matmul(hidden, recurrentWeight))
        const [i, f, g, o] = t.split(sums, 4, { axis: -1 }) as [t.Tensor, t.Tensor, t.Tensor, t.Tensor]
        const next = t.add(t.mul(t.sigmoid(f), cell), t.mul(t.sigmoid(i), activation(g)))
        return { hidden: t.mul(t.sigmoid(o), activation(next)), cell: next }
      },
    },
    options,
  )
}
