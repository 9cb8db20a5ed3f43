import * as t from '@tapeflow/autodiff'
import { type AnyLayer, type Loss, sparseCrossEntropy } from '@tapeflow/nn'
import { adam, cosineDecay, join, warmup } from '@tapeflow/optim'
import { type Callback, fit, result } from '@tapeflow/train'
import type { CharacterModel } from './models.ts'
import { type Text, windows } from './text.ts'

/** What can be chosen. */
export interface Choices {
  readonly steps: number
  /** Windows in a batch. */
  readonly rows: number
  /** Characters in a window. */
  readonly length: number
  readonly learningRate: number
  readonly seed: number
  readonly callbacks?: readonly Callback[]
}

/** What came of training. */
export interface Trained {
  /** Bits per character of the held-out text. */
  readonly bits: number
  readonly seconds: number
  /** Makes tensors of the parameters. */
  readonly params: () => unknown
}

/** The mean over all characters: cross entropy takes one row for each. */
const loss: Loss = (scores, target) => {
  const characters = scores.shape[scores.rank - 1]!
  return sparseCrossEntropy()(t.reshape(scores, [target.size, characters]), t.reshape(target, [target.size]))
}

/** Trains a model to foretell the next character, and measures it on text that it has not seen. */
export async function trainCharacters(
  model: CharacterModel,
  text: Text,
  { steps, rows, length, learningRate, seed, callbacks = [] }: Choices,
): Promise<Trained> {
  const warm = Math.max(1, Math.round(steps / 20))
  const rate = join(
    [
      warmup({ from: learningRate / 100, to: learningRate, steps: warm }),
      cosineDecay({ from: learningRate, steps: Math.max(1, steps - warm) }),
    ],
    [warm],
  )
  const start = performance.now()
  const run$ = fit(model, {
    data: windows(text.train, length)
      .shuffle({ key: t.key(seed) })
      .batch(rows, { dropLast: true }),
    loss,
    optimizer: adam({ learningRate: rate }),
    steps,
    seed,
    callbacks,
  })
  const { params, state }: { readonly params: unknown; readonly state: unknown } = await result(run$)
  const seconds = (performance.now() - start) / 1000
  const bits = t.scope(() =>
    bitsOf(model, t.fromSnapshot(params), t.fromSnapshot(state), text.heldOut, length),
  )
  return { bits, seconds, params: () => t.fromSnapshot(params) }
}

/** Bits per character: each window begins with nothing before its first character, as a bigram model does everywhere. */
function bitsOf(
  model: AnyLayer,
  params: unknown,
  state: unknown,
  heldOut: Uint8Array,
  length: number,
): number {
  const context = { training: false, path: '' }
  const pass = t.compile((x: t.Tensor, y: t.Tensor) => loss(model.apply(params, state, x, context).y, y))
  let [sum, count] = [0, 0]
  for (const { x, y } of windows(heldOut, length).batch(64)) {
    const nats = t.scope(() => pass(t.tensor(x.values, x.shape), t.tensor(y.values, y.shape)).item())
    sum += nats * y.values.length
    count += y.values.length
  }
  pass.dispose()
  return sum / count / Math.LN2
}
