/**
 * What every library in the comparison must offer, so that a worker can run all of them blindly.
 *
 * A peer's file under `peers/` exports `open(): Promise<Peer>`. It writes the workload the way its library's own
 * documentation would, with the fastest form it documents (jit where there is one), and frees what it makes.
 * `peers/torch_worker.py` speaks the same words from Python.
 */
export interface Peer {
  readonly version: string
  /** Makes ready what is timed. Throws `Unsupported` where the library has no way to do it. */
  prepare(workload: Workload): Promise<Prepared> | Prepared
  /** What the library says is alive, in tensors, bytes or both; null where it keeps no such count. */
  heap(): Readonly<Record<string, number>> | null
}

/** What one library makes of a workload. */
export type Prepared = Trainer | Run | Computation

/** A training loop that the caller turns, step by step. */
export interface Trainer {
  readonly kind: 'trainer'
  /** One training step on the next batch: forward, backward, update. Returns the loss before the update. */
  step(): number
  /** Back to the start: parameters, optimizer and position in the data. */
  restart(): void
  dispose(): void
}

/** A training loop that turns by itself: it begins at the start each time. */
export interface Run {
  readonly kind: 'run'
  /** Trains until `isEnough`, which is told the loss of each step, says so. */
  train(isEnough: (loss: number) => boolean): Promise<void>
  dispose(): void
}

/** A function of fixed tensors. */
export interface Computation {
  readonly kind: 'computation'
  /** Computes, until the result exists. Is a promise only where a library can wait for its result in no other way. */
  call(): unknown
  /** Computes, and reads the result into JavaScript. */
  read(): Float32Array
  dispose(): void
}

/** What is timed: a plain tree, which goes to the workers as a file, so that all have the same floats. */
export type Workload = Training | Product | Elementwise | Rows | Forward

export interface Training {
  readonly kind: 'training'
  readonly id: string
  readonly model: Model
  /** crossEntropy takes logits and classes, sigmoidCrossEntropy logits and 0 or 1; all are means over the batch (and over outputs). */
  readonly loss: 'crossEntropy' | 'meanSquaredError' | 'sigmoidCrossEntropy'
  readonly optimizer: { readonly name: 'adam' | 'sgd'; readonly learningRate: number }
  /** Used in turn, again from the first after the last. */
  readonly batches: readonly Batch[]
  /** One a layer that has any; weights are `[in, out]` or `[height, width, in, out]`. */
  readonly start: readonly LayerStart[]
}

export type Model = Mlp | Cnn

export interface Mlp {
  readonly type: 'mlp'
  /** Units per layer, inputs first: [784, 128, 64, 10]. */
  readonly sizes: readonly number[]
  /** After every layer but the last, which is linear. */
  readonly activation: 'relu' | 'tanh'
  /** Batch norm between each hidden layer and its activation: epsilon 1e-5, moving averages kept with 0.9. */
  readonly batchNorm: boolean
  /** What is dropped after each hidden layer's activation; 0 is no dropout. */
  readonly dropout: readonly number[]
}

/** Convolutions without padding, each with ReLU and 2x2 max pooling behind; then one dense layer. */
export interface Cnn {
  readonly type: 'cnn'
  readonly image: readonly [height: number, width: number, channels: number]
  readonly convolutions: readonly { readonly filters: number; readonly size: number }[]
  readonly classes: number
}

export interface Batch {
  /** `[batch, …]`, images as `[batch, height, width, channels]`. */
  readonly inputs: Values
  /** Class indices `[batch]` for crossEntropy; else `[batch, outputs]`. */
  readonly targets: Values
}

export interface LayerStart {
  readonly weight: Values
  readonly bias: Values
}

/** Row by row. */
export interface Values {
  readonly shape: readonly number[]
  readonly values: Float32Array
}

/** NN is A B, NT is A Bᵀ (the gradient of an input), TN is Aᵀ B (the gradient of a weight), TT is Aᵀ Bᵀ; A and B as stored. */
export type MatmulForm = 'NN' | 'NT' | 'TN' | 'TT'

export interface Product {
  readonly kind: 'product'
  readonly id: string
  readonly form: MatmulForm
  readonly left: Values
  readonly right: Values
}

export interface Elementwise {
  readonly kind: 'elementwise'
  readonly id: string
  readonly operation: 'add' | 'exp' | 'tanh' | 'sigmoid' | 'gelu erf' | 'gelu tanh'
  /** One, or two for add. */
  readonly operands: readonly Values[]
}

export interface Rows {
  readonly kind: 'rows'
  readonly id: string
  readonly operation: 'softmax' | 'sum axis 0' | 'sum axis 1'
  readonly matrix: Values
}

/** The forward pass of an MLP, its result read each time. */
export interface Forward {
  readonly kind: 'forward'
  readonly id: string
  readonly model: Mlp
  readonly start: readonly LayerStart[]
  readonly input: Values
}
