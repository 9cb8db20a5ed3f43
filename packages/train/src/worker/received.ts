import { failType, fromSnapshot, leaves, type Tensor } from '@tapeflow/autodiff'
import type { Located, MetricValues, Showing, StepEvent } from '../events.ts'
import type { Copied } from '../snapshots.ts'
import { StaleSnapshotError, type Watched } from '../watched.ts'
import { columnCount, columns, type StepNames } from './columns.ts'
import { copiedPaths, isCopied, mapCopied, wordsToKey } from './copied-tree.ts'
import type { OtherEvent, ShownStep } from './messages.ts'
import type { Travel } from './travel.ts'

/** Where an event came from. */
export interface Journey {
  readonly travel: Travel
  readonly names: StepNames
}

/**
 * An event of a run in a worker. What it shows came as arrays, which stay; tensors are made of them where `tree` is read, and
 * are freed when the event has passed.
 */
class Received<T extends string, P, S> implements Located, Showing<P, S> {
  readonly type: T
  readonly step: number
  readonly epoch: number
  readonly #weights: unknown
  #made: Tensor[] | null = null
  #passed = false

  constructor(type: T, step: number, epoch: number, weights: unknown) {
    this.type = type
    this.step = step
    this.epoch = epoch
    this.#weights = weights
  }

  get weights(): Watched<P> {
    return this.came(this.#weights, 'weights')
  }

  snapshot(): never {
    return failType(
      'fitInWorker',
      'the run is in the worker, its events cannot take snapshots of it',
      "send the command { type: 'checkpoint' } and watch: ['checkpoints'], or take them in a callback of the module",
    )
  }

  /** @internal once everyone has seen the event */
  pass(): void {
    this.#passed = true
    if (this.#made === null) return
    for (const x of this.#made) x.dispose()
    this.#made = null
  }

  protected came<V>(copy: unknown, name: string): Watched<V> {
    if (copy === undefined) this.failMissing(name)
    const made = (): V => {
      if (this.#passed)
        throw new StaleSnapshotError(`tensors of ${name}`, `${this.type} event at step ${this.step}`)
      const tree: unknown = fromSnapshot(mapCopied(copy, wordsToKey))
      this.#made = [...(this.#made ?? []), ...leaves(tree)]
      // It was copied of a V, tensor by tensor.
      return tree as V
    }
    return new ReceivedTree(copy, made)
  }

  protected failMissing(name: string): never {
    return failType('fitInWorker', `${name} are not watched`, `pass watch: ['${name}'] to fitInWorker`)
  }
}

/** Tensors that came as arrays. */
export class ReceivedTree<V> implements Watched<V> {
  /** As they came, for all who look: whoever keeps some gets copies. */
  readonly arrays: unknown
  readonly #made: () => V

  constructor(arrays: unknown, made: () => V) {
    this.arrays = arrays
    this.#made = made
  }

  get tree(): V {
    return this.#made()
  }

  get paths(): readonly string[] {
    return copiedPaths(this.arrays)
  }

  snapshot(): Copied<V> {
    // Made of a V, tensor by tensor.
    return copyOf(this.arrays) as Copied<V>
  }
}

/** A copy of what came. */
export function copyOf(arrays: unknown): unknown {
  return mapCopied(arrays, (leaf) =>
    isCopied(leaf) ? { shape: [...leaf.shape], values: leaf.values.slice() } : wordsToKey(leaf),
  )
}

/** An epoch, a validation and whatever else shows weights. */
export class ReceivedEvent<P, S> extends Received<string, P, S> {
  constructor(fields: OtherEvent['fields'], weights: unknown) {
    super(fields.type, fields.step, fields.epoch, weights)
    Object.assign(this, fields)
  }
}

/** A step: a row of numbers, and what was shown with it. */
export class ReceivedStep<P, S> extends Received<'step', P, S> implements StepEvent<P, S> {
  readonly batch: number
  readonly rows: number
  readonly loss: number
  readonly losses: MetricValues
  readonly penalty: number
  readonly runningLoss: number
  readonly learningRate: number
  readonly metrics: MetricValues
  readonly seconds: number
  readonly samplesPerSecond: number
  readonly #norm: number
  readonly #shown: ShownStep | null
  readonly #travel: Travel

  /** @param at where its row begins */
  constructor(numbers: Float64Array, at: number, shown: ShownStep | null, { names, travel }: Journey) {
    super('step', numbers[at + columns.step]!, numbers[at + columns.epoch]!, shown?.weights ?? undefined)
    this.batch = numbers[at + columns.batch]!
    this.rows = numbers[at + columns.rows]!
    this.loss = numbers[at + columns.loss]!
    this.penalty = numbers[at + columns.penalty]!
    this.runningLoss = numbers[at + columns.runningLoss]!
    this.learningRate = numbers[at + columns.learningRate]!
    const afterLosses = at + columnCount + names.losses.length
    this.losses = shown?.losses ?? byName(numbers, at + columnCount, names.losses)
    this.metrics = byName(numbers, afterLosses, names.metrics)
    this.seconds = numbers[at + columns.seconds]!
    this.samplesPerSecond = numbers[at + columns.samplesPerSecond]!
    this.#norm = travel.gradientNorm ? numbers[afterLosses + names.metrics.length]! : Number.NaN
    this.#shown = shown
    this.#travel = travel
  }

  get gradients(): Watched<P> {
    return this.came(this.#shown?.gradients ?? undefined, 'gradients')
  }

  get gradientNorm(): number {
    if (this.#travel.gradientNorm) return this.#norm
    return failType(
      'fitInWorker',
      'gradientNorm is not watched',
      "pass watch: ['gradientNorm'] to fitInWorker",
    )
  }

  get activations(): Watched<Readonly<Record<string, Tensor>>> {
    return this.came(this.#shown?.activations ?? undefined, 'activations')
  }

  /** Whether it is one of those with which tensors travel. */
  get carries(): boolean {
    return this.step % this.#travel.every === 0
  }

  protected override failMissing(name: 'weights' | 'gradients' | 'activations'): never {
    const { [name]: travels, every } = this.#travel
    if (travels === null) super.failMissing(name)
    return failType(
      'fitInWorker',
      `${name} of step ${this.step} did not travel: they do where ${every} divides the step`,
      'read them there, or pass a smaller every',
    )
  }
}

function byName(numbers: Float64Array, at: number, names: readonly string[]): MetricValues {
  if (names.length === 0) return none
  const values: Record<string, number> = {}
  for (let i = 0; i < names.length; i++) values[names[i]!] = numbers[at + i]!
  return values
}

const none: MetricValues = Object.freeze({})
