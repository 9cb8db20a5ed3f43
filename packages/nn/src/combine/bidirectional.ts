import * as t from '@tapeflow/autodiff'
import type { Applied, Context, Layer } from '../layer.ts'
import type { RecurrentLayer } from '../layers/recurrent.ts'
import { part } from './part.ts'
import { scopeUnlessTapped } from './scope-unless-tapped.ts'
import type { SumOfSizes } from './sum-of-sizes.ts'

/** Parameters of the two directions. */
export type BidirectionalParams<F, B = F> = { readonly forward: F; readonly backward: B }

/** A layer that reads in both directions. */
export interface BidirectionalLayer<F, B, In extends number = number, Out extends number = number>
  extends Layer<BidirectionalParams<F, B>, null, In, Out> {
  /**
   * As of any layer, with one argument more.
   *
   * @param mask `[rows, steps]`, 0 where a step is padding, for both directions
   */
  apply(
    params: BidirectionalParams<F, B>,
    state: null,
    x: t.Tensor,
    ctx: Context,
    mask?: t.Tensor,
  ): Applied<null>
}

/**
 * A layer that reads sequences in both directions, and gives both outputs side by side: y = [forward(x), backward(x)]. Each step
 * of `returnSequences` knows all of the sequence; without it the forward part is that of the last step, the backward part that of
 * the first.
 *
 * Padding is passed over in both directions: the way back begins at each row's last true step.
 *
 * @param forward a recurrent layer: `gru(8, 16)`
 * @param backward one that reads the other way, of the same input size; by default `forward.reversed()`, with parameters of its own
 * @returns a layer with parameters `{ forward, backward }`: `[rows, steps, features]` -> `[rows, units]` or `[rows, steps, units]`,
 * with the units of both
 * @throws RangeError when both read one way, one returns sequences and the other does not, input sizes differ, or one is stateful
 * @throws TypeError when an argument is no recurrent layer
 * @example
 * const model = bidirectional(rnn(1, 1, { weight: ones, recurrentWeight: ones, activation: t.relu, returnSequences: true }))
 * const { params, outputShape } = model.init(t.key(1), [3, 1])
 * outputShape // => [3, 2]
 * const x = t.tensor([[[1], [2], [3]]])
 * model.apply(params, null, x, { training: true, path: '' }).y.toArray() // => [[[1, 6], [3, 5], [6, 3]]]
 *
 * Schuster & Paliwal: Bidirectional recurrent neural networks (IEEE Transactions on Signal Processing 1997)
 */
export function bidirectional<F, In extends number, Out extends number>(
  forward: RecurrentLayer<F, null, In, Out>,
): BidirectionalLayer<F, F, In, SumOfSizes<Out, Out>>
export function bidirectional<F, B, In extends number, Ahead extends number, Back extends number>(
  forward: RecurrentLayer<F, null, In, Ahead>,
  backward: RecurrentLayer<B, null, NoInfer<In>, Back>,
): BidirectionalLayer<F, B, In, SumOfSizes<Ahead, Back>>
export function bidirectional<F, B>(
  forward: RecurrentLayer<F | B, null>,
  backward: RecurrentLayer<F | B, null> = reversed(forward),
): BidirectionalLayer<F | B, F | B> {
  checkPair(forward, backward)
  const { inputSize } = forward
  return {
    name: `bidirectional ${forward.name ?? 'unnamed'}`,
    config: { type: 'bidirectional', forward, backward },
    ...(inputSize === undefined ? {} : { inputSize }),
    init: (key, inputShape) => {
      const [first, second] = [
        forward.init(t.foldIn(key, 'forward'), inputShape),
        backward.init(t.foldIn(key, 'backward'), inputShape),
      ]
      const units = first.outputShape.at(-1)! + second.outputShape.at(-1)!
      return {
        params: { forward: first.params, backward: second.params },
        state: null,
        outputShape: [...first.outputShape.slice(0, -1), units],
      }
    },
    apply: (params, state, x, ctx, mask) => {
      const read = (layer: RecurrentLayer<F | B, null>, name: 'forward' | 'backward'): t.Tensor =>
        part(ctx, name, layer, params[name], (inner) => layer.apply(params[name], null, x, inner, mask).y)
      const run = (): Applied<null> => {
        const both = [read(forward, 'forward'), read(backward, 'backward')]
        return { y: t.concat(both, { axis: -1 }), state }
      }
      return scopeUnlessTapped(ctx, run)
    },
  }
}

function reversed<P>(layer: RecurrentLayer<P, null>): RecurrentLayer<P, null> {
  checkRecurrent(layer, 0)
  return layer.reversed()
}

type Pair = readonly RecurrentLayer<unknown, null>[]

function checkPair(...layers: Pair): void {
  for (const [i, layer] of layers.entries()) checkRecurrent(layer, i)
  const words = layers.map(({ name }) => name ?? 'unnamed').join(' and ')
  const fail = (problem: string, remedy: string): never =>
    t.failRange('bidirectional', `${problem}, got ${words}`, remedy)
  const differ = (property: 'returnSequences' | 'inputSize'): boolean =>
    layers.some((layer) => layer[property] !== layers[0]![property])
  if (layers.some(({ statefulRows }) => statefulRows !== undefined))
    fail('a layer that keeps its state cannot read both ways', 'leave out statefulRows')
  if (layers.some(({ reverse }, i) => reverse !== (i === 1)))
    fail('the second layer must read backward, the first must not', 'give the second alone reverse: true')
  if (differ('returnSequences'))
    fail('both layers must return sequences, or none', 'give both the same returnSequences')
  if (differ('inputSize')) fail('both layers must take as many features', 'make the two input sizes equal')
}

function checkRecurrent(layer: unknown, i: number): void {
  if (typeof layer === 'object' && layer !== null && 'reversed' in layer) return
  t.failType(
    'bidirectional',
    `argument ${i} is no recurrent layer, got ${t.kindOf(layer)}`,
    'pass rnn(…), gru(…) or lstm(…)',
  )
}
