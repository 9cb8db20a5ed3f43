import { failType, type Tensor } from '@tapeflow/autodiff'
import type { Located, MetricValues, Showing, StepEvent } from './events.ts'
import type { ParametersSnapshot, RunSnapshot } from './snapshots.ts'
import type { Carry } from './step.ts'
import { StaleSnapshotError, type Watched, watched } from './watched.ts'

/** The tensors that one event shows, alive as long as it is handled. */
export interface Shown<P, S> {
  readonly carry: Pick<Carry<P, S>, 'params' | 'state'>
  /** Null where they were not watched. */
  readonly gradients: P | null
  /** The sum of the squares of each gradient. */
  readonly squares: readonly Tensor[] | null
  readonly activations: Readonly<Record<string, Tensor>> | null
}

/** Copies the run, with the parameters that an event shows. */
export interface TakeSnapshot<P, S> {
  (shown: Shown<P, S>, what: 'all'): RunSnapshot<P, S>
  (shown: Shown<P, S>, what: 'parameters'): ParametersSnapshot<P, S>
}

/** An event that shows tensors: what they are read from is taken away when it has passed. */
export class PassingEvent<T extends string, P, S> implements Located, Showing<P, S> {
  readonly type: T
  readonly step: number
  readonly epoch: number
  #shown: Shown<P, S> | null
  #take: TakeSnapshot<P, S> | null

  constructor(type: T, step: number, epoch: number, shown: Shown<P, S>, take: TakeSnapshot<P, S>) {
    this.type = type
    this.step = step
    this.epoch = epoch
    this.#shown = shown
    this.#take = take
  }

  get weights(): Watched<P> {
    this.shown('weights')
    return watched(() => this.shown('weights').carry.params)
  }

  snapshot(): RunSnapshot<P, S>
  snapshot(what: 'all'): RunSnapshot<P, S>
  snapshot(what: 'parameters'): ParametersSnapshot<P, S>
  snapshot(what: 'all' | 'parameters' = 'all'): RunSnapshot<P, S> | ParametersSnapshot<P, S> {
    const shown = this.shown('weights')
    const take = this.#take!
    if (what === 'all') return take(shown, 'all')
    if (what === 'parameters') return take(shown, 'parameters')
    return failType('snapshot', `cannot copy '${String(what)}'`, "use 'all' or 'parameters'")
  }

  /** @internal by the run, once everyone has seen the event */
  pass(): void {
    this.#shown = null
    // It knows the whole run, which one event that somebody keeps would hold.
    this.#take = null
  }

  protected shown(what: string): Shown<P, S> {
    if (this.#shown === null) throw new StaleSnapshotError(what, `${this.type} event at step ${this.step}`)
    return this.#shown
  }
}

/** Where a step stands, and what has been summed up with it. */
export interface StepPlace extends Located {
  readonly batch: number
  readonly sums: { readonly loss: number; readonly weight: number }
}

/**
 * The one event that is made at every step: plain fields, and getters for what costs something. Each field is written once:
 * a number that is written over is garbage of its own.
 */
export class PassingStep<P, S> extends PassingEvent<'step', P, S> implements StepEvent<P, S> {
  readonly batch: number
  readonly rows: number
  readonly loss: number
  readonly losses: Readonly<Record<string, number>>
  readonly penalty: number
  readonly runningLoss: number
  readonly learningRate: number
  readonly metrics: MetricValues
  readonly seconds: number
  readonly samplesPerSecond: number
  #record: LossRecord | null = null

  constructor(
    { step, epoch, batch, sums }: StepPlace,
    shown: Shown<P, S>,
    take: TakeSnapshot<P, S>,
    rows: number,
    loss: number,
    losses: Readonly<Record<string, number>>,
    penalty: number,
    learningRate: number,
    metrics: MetricValues,
    seconds: number,
    samplesPerSecond: number,
  ) {
    super('step', step, epoch, shown, take)
    this.batch = batch
    this.rows = rows
    this.loss = loss
    this.losses = losses
    this.penalty = penalty
    this.runningLoss = sums.loss / sums.weight
    this.learningRate = learningRate
    this.metrics = metrics
    this.seconds = seconds
    this.samplesPerSecond = samplesPerSecond
  }

  /** @internal by `losses()`: one record for all that ask, so that ten of them make one at a step */
  get record(): LossRecord {
    this.#record ??= lossRecord(this)
    return this.#record
  }

  get gradients(): Watched<P> {
    const read = (): P => asked(this.shown('gradients').gradients, 'gradients are', 'gradients')
    read()
    return watched(read)
  }

  get gradientNorm(): number {
    const squares = asked(this.shown('gradientNorm').squares, 'gradientNorm is', 'gradientNorm')
    let sum = 0
    for (const square of squares) sum += square.item()
    return Math.sqrt(sum)
  }

  get activations(): Watched<Readonly<Record<string, Tensor>>> {
    const read = (): Readonly<Record<string, Tensor>> =>
      asked(this.shown('activations').activations, 'activations are', 'activations:**')
    read()
    return watched(read)
  }
}

/** The numbers of one step: plain data. */
export type LossRecord = Readonly<
  Pick<StepEvent, 'step' | 'epoch' | 'batch' | 'loss' | 'runningLoss' | 'learningRate'>
>

/** A copy of the numbers of a step event. */
export function lossRecord({ step, epoch, batch, loss, runningLoss, learningRate }: LossRecord): LossRecord {
  return { step, epoch, batch, loss, runningLoss, learningRate }
}

function asked<V>(value: V | null, what: string, option: string): V {
  if (value !== null) return value
  return failType('fit', `${what} not watched`, `pass watch: ['${option}'] to fit`)
}
