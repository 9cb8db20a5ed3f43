import * as t from '@tapeflow/autodiff'
import { at, type SizePreserving } from '../layer.ts'

/** Parameters of a PReLU layer: slope `[features]`, a scalar where all features share one. */
export type PreluParams = { readonly slope: t.Tensor }

/** What slopes of a PReLU layer there are. */
export interface PreluOptions {
  /** What each slope begins at: 0.25 by default. */
  readonly initial?: number
  /** Whether all features share one slope; each has its own by default. */
  readonly shared?: boolean
}

/**
 * A layer of rectified linear units whose slope below 0 is trained: y = x where x > 0, else slope x. Each feature has a slope of
 * its own, as the last axis counts them, or all share one. The gradient at 0 is the slope.
 *
 * With slopes that are not trained it is `leakyRelu`; as a function it is `t.leakyRelu(x, slope)`. Do not decay slopes by L2: it
 * draws them to 0, to `relu`. Keras begins at 0 with a slope for each place; PyTorch at 0.25 with a shared one.
 *
 * @param options.initial what each slope begins at, 0.25 by default
 * @param options.shared true for one slope for all; false by default
 * @returns a layer `[rows, …, features]` -> the same
 * @throws RangeError when `initial` is not finite; in `init` for samples that are scalars, unless the slope is shared; in `apply`
 * for another number of features: names the layer's path
 * @example
 * const layer = prelu()
 * const { params, state } = layer.init(t.key(1), [2])
 * layer.apply(params, state, t.tensor([[-4, 2]]), { training: true, path: '' }).y.toArray() // => [[-1, 2]]
 *
 * He, Zhang, Ren, Sun: Delving deep into rectifiers (ICCV 2015)
 */
export function prelu(options: PreluOptions = {}): SizePreserving<PreluParams, null> {
  const { initial = 0.25, shared = false } = t.knownOptions('prelu', options, 'initial shared')
  if (!Number.isFinite(initial)) {
    t.failRange('prelu', `initial must be a finite number, got ${initial}`, 'leave it out for 0.25')
  }
  return {
    name: 'prelu',
    config: { type: 'prelu', shared },
    init: (_key, inputShape) => {
      if (!shared && inputShape.length === 0) {
        t.failRange('prelu', 'samples must have features, got scalars', 'share one slope: { shared: true }')
      }
      const shape = shared ? [] : inputShape.slice(-1)
      return { params: { slope: t.full(shape, initial) }, state: null, outputShape: inputShape }
    },
    apply: ({ slope }, state, x, ctx) => {
      if (slope.rank > 0 && x.shape[x.rank - 1] !== slope.size) {
        t.failRange(
          'prelu',
          `the layer${at(ctx)} takes ${slope.size} features, got an input of shape ${t.showShape(x.shape)}`,
          'pass samples like those of init',
        )
      }
      return { y: t.leakyRelu(x, slope), state }
    },
  }
}
