import { failType, type Tensor } from '@tapeflow/autodiff'
import type { Located, MetricValues, Showing, StepEvent } from './events.ts'
import type { ParametersSnapshot, RunSnapshot } from './snapshots.ts'
import { StaleSnapshotError, type Watched, watched } from './watched.ts'

/** The tensors that one event shows, alive as long as it is handled. */
export interface Shown<P, S> {
  readonly params: P
  readonly state: S
  /** Null where they were not watched. */
  readonly gradients: P | null
  readonly gradientNorm: number | null
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
  readonly #take: TakeSnapshot<P, S>

  constructor(type: T, step: number, epoch: number, shown: Shown<P, S>, take: TakeSnapshot<P, S>) {
    this.type = type
    this.step = step
    this.epoch = epoch
    this.#shown = shown
    this.#take = take
  }

  get weights(): Watched<P> {
    this.shown('weights')
    return watched(() => this.shown('weights').params)
  }

  snapshot(): RunSnapshot<P, S>
  snapshot(what: 'all'): RunSnapshot<P, S>
  snapshot(what: 'parameters'): ParametersSnapshot<P, S>
  snapshot(what: 'all' | 'parameters' = 'all'): RunSnapshot<P, S> | ParametersSnapshot<P, S> {
    const shown = this.shown('weights')
    if (what === 'all') return this.#take(shown, 'all')
    if (what === 'parameters') return this.#take(shown, 'parameters')
    return failType('snapshot', `cannot copy '${String(what)}'`, "use 'all' or 'parameters'")
  }

  /** @internal by the run, once everyone has seen the event */
  pass(): void {
    this.#shown = null
  }

  protected shown(what: string): Shown<P, S> {
    if (this.#shown === null) throw new StaleSnapshotError(what, `${this.type} event at step ${this.step}`)
    return this.#shown
  }
}

/** The one event that is made at every step: plain fields, and getters for what costs something. */
export class PassingStep<P, S> extends PassingEvent<'step', P, S> implements StepEvent<P, S> {
  batch = 0
  rows = 0
  loss = 0
  runningLoss = 0
  learningRate = 0
  metrics: MetricValues = {}
  seconds = 0
  samplesPerSecond = 0

  constructor(step: number, epoch: number, shown: Shown<P, S>, take: TakeSnapshot<P, S>) {
    super('step', step, epoch, shown, take)
  }

  get gradients(): Watched<P> {
    const read = (): P => asked(this.shown('gradients').gradients, 'gradients are', 'gradients')
    read()
    return watched(read)
  }

  get gradientNorm(): number {
    return asked(this.shown('gradientNorm').gradientNorm, 'gradientNorm is', 'gradientNorm')
  }

  get activations(): Watched<Readonly<Record<string, Tensor>>> {
    const read = (): Readonly<Record<string, Tensor>> =>
      asked(this.shown('activations').activations, 'activations are', 'activations:**')
    read()
    return watched(read)
  }
}

function asked<V>(value: V | null, what: string, option: string): V {
  if (value !== null) return value
  return failType('fit', `${what} not watched`, `pass watch: ['${option}'] to fit`)
}
