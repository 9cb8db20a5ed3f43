import * as t from '@tapeflow/autodiff'
import type { AnyLayer } from '../layer.ts'
import { FileError, failFile } from './file-error.ts'
import { planOf, type TreePlan } from './tree-arrays.ts'

/** How many elements a sample may have: what `init` takes from its shape, such as a scale, is not drawn and takes memory. */
const largestSample = 2 ** 26

/** What a model needs of a file, and the shape that it gives for one sample. */
export interface ModelPlan {
  readonly tree: TreePlan
  readonly outputShape: t.Shape
}

/**
 * What the parameters and the state of a model are, by its `init`. That runs on a key that is only recorded, so that weights are not
 * drawn and take no memory, whatever sizes a file claims; a layer that looks at its key is run once more, on a real one.
 */
export function planOfModel(operation: string, model: AnyLayer, inputShape: t.Shape): ModelPlan {
  const size = t.sizeOf(inputShape)
  if (!(size <= largestSample)) {
    failFile(
      operation,
      `a sample of shape ${t.showShape(inputShape)} has more than 2^26 elements`,
      'cut it into several',
    )
  }
  const run = (key: t.Key): ModelPlan => {
    const { params, state, outputShape } = model.init(key, inputShape)
    return { tree: planOf({ params, state }), outputShape }
  }
  try {
    return recorded(run) ?? t.scope(() => run(t.key(0)))
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause)
    throw new FileError(
      operation,
      `the model does not take samples of shape ${t.showShape(inputShape)}: ${words}`,
      undefined,
      { cause },
    )
  }
}

function recorded(run: (key: t.Key) => ModelPlan): ModelPlan | null {
  let plan: ModelPlan | null = null
  try {
    t.graph((key: t.Key) => {
      plan = run(key)
      return t.tensor(0)
    }, t.key(0))
  } catch (error) {
    if (!(error instanceof t.RecordingError)) throw error
  }
  return plan
}
