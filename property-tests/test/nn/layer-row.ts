import type * as t from '@tapeflow/autodiff'
import type { AnyLayer } from '@tapeflow/nn'

/** A layer in the table of laws. */
export interface LayerRow {
  /** As a sentence would name it: 'conv2d, stride 2, same'. */
  readonly name: string
  readonly layer: AnyLayer
  /** The shape of one sample. */
  readonly sample: t.Shape
  /** Draws an input `[rows, …sample]`; `t.normal` by default. */
  readonly input?: (key: t.Key, shape: t.Shape) => t.Tensor
  /** Whether its input has a gradient, as all but integers have; true by default. */
  readonly differentiable?: boolean
  /** Whether rows depend on each other while it trains, as in a batch norm; false by default. */
  readonly rowsMix?: boolean
  /** Whether a file can hold it, as all but functions of users; true by default. */
  readonly saved?: boolean
  /**
   * The definition: what comes out at inference for a whole batch, in row-major order, in float64.
   *
   * @param params the layer's parameters, their tensors as nested arrays
   * @param x the batch in row-major order, of that shape
   */
  readonly reference?: (params: unknown, x: readonly number[], shape: t.Shape) => readonly number[]
}
