/**
 * What every library in the comparison must offer, so that a suite can run all of them blindly.
 *
 * A peer's file under `peers/` exports `open(): Promise<Peer>`. It writes the workload the way its library's own
 * documentation would, with the fastest form it documents (jit where there is one), and frees what it makes.
 */
export interface Peer {
  readonly name: string
  readonly version: string
  createMlp(options: MlpOptions): Mlp
  /** The product of the two stored matrices, see {@link MatmulForm}; both hold n * n floats, row by row. */
  matmul(n: number, form: MatmulForm, left: Float32Array, right: Float32Array): Product
  /** How many tensors the library says are alive, or null where it keeps no such count. */
  liveTensors(): number | null
}

/** NN is A B, NT is A Bᵀ (the gradient of an input), TN is Aᵀ B (the gradient of a weight). */
export type MatmulForm = 'NN' | 'NT' | 'TN'

export interface MlpOptions {
  /** Units per layer, inputs first: [784, 128, 64, 10]. */
  readonly sizes: readonly number[]
  /** After every layer but the last, which is linear. */
  readonly activation: 'relu' | 'tanh'
  /** crossEntropy takes logits; both are means over the batch (and over outputs). */
  readonly loss: 'crossEntropy' | 'meanSquaredError'
  readonly optimizer: { readonly name: 'adam' | 'sgd'; readonly learningRate: number }
  readonly data: MlpData
}

export interface MlpData {
  readonly batchSize: number
  /** Used in turn, again from the first after the last. */
  readonly batches: readonly Batch[]
  /** One a layer; weight is [in, out] row by row. */
  readonly start: readonly LayerStart[]
}

export interface Batch {
  /** [batchSize, sizes[0]] row by row. */
  readonly inputs: Float32Array
  /** Class indices, [batchSize], for crossEntropy; values, [batchSize, last size], for meanSquaredError. */
  readonly targets: Float32Array
}

export interface LayerStart {
  readonly weight: Float32Array
  readonly bias: Float32Array
}

export interface Mlp {
  /** One training step on the next batch: forward, backward, update. Returns the loss before the update. */
  step(): number
  /** Back to the start: parameters, optimizer and position in the data. */
  restart(): void
  dispose(): void
}

export interface Product {
  /** Multiplies, and reads the product back into JavaScript. */
  run(): Float32Array
  dispose(): void
}
