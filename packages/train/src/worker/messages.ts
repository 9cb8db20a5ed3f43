import type { TrainCommand } from '../commands.ts'
import type { Located } from '../events.ts'
import type { TravelName } from './travel.ts'

/** What is sent into a worker. */
export type ToWorker =
  | {
      readonly type: 'run'
      /** The URL of the module whose default export is the recipe; undefined where the worker has it. */
      readonly module: string | undefined
      readonly options: unknown
      readonly watch: readonly TravelName[]
      readonly every: number
      /** What the worker holds for as long as it lives, by which its death is seen; undefined where it is seen otherwise. */
      readonly lock: string | undefined
    }
  | { readonly type: 'command'; readonly command: TrainCommand }
  /** One batch of events has been handled. */
  | { readonly type: 'handled' }
  /** Nobody listens any more. */
  | { readonly type: 'close' }

/** What comes out of one. */
export type FromWorker =
  /** The run is being made: it can be closed. */
  | {
      readonly type: 'ready'
      /** Whether it holds the lock. */
      readonly held: boolean
    }
  | ({ readonly type: 'events' } & EventBatch)
  | { readonly type: 'failed'; readonly error: ToldError }
  | { readonly type: 'done' }
  /** The answer to `close`: the run inside was unsubscribed, and everything is freed. */
  | { readonly type: 'closed' }

/** The events of one slice of a run, in their order. */
export interface EventBatch {
  /** One row of numbers for each step. */
  readonly steps: Float64Array<ArrayBuffer>
  /** All other events. */
  readonly others: readonly OtherEvent[]
  /** Copies of the tensors of some of the steps, in their order. */
  readonly shown: readonly ShownStep[]
}

export interface OtherEvent {
  /** How many steps of the batch came before it. */
  readonly at: number
  /** Its own fields. */
  readonly fields: Located & { readonly type: string } & Readonly<Record<string, unknown>>
  /** Whether it is one that shows weights. */
  readonly shows: boolean
  readonly weights?: unknown
}

export interface ShownStep {
  /** Which row. */
  readonly at: number
  readonly weights?: unknown
  readonly gradients?: unknown
  readonly activations?: unknown
  /** Those that the training step names itself. */
  readonly losses?: Readonly<Record<string, number>> | undefined
}

/** An error as plain data. */
export interface ToldError {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly operation: string | undefined
  readonly cause: ToldError | { readonly value: unknown } | undefined
}

/** The inside's end of the line. */
export interface Port {
  post(message: FromWorker, transfer?: readonly ArrayBuffer[]): void
  listen(heard: (message: ToWorker) => void): void
  /** Takes the lock of a run, for as long as the worker lives; false where there is none to be had. */
  hold(lock: string): Promise<boolean>
  /** Nothing more is said or heard: the worker may end once everything it has begun is done. */
  close(): void
}

/** Who hears of a worker. */
export interface LinkListener {
  message(message: FromWorker): void
  /** It has died, or never lived. */
  died(error: Error): void
}

/** The outside's end of the line, with the worker. */
export interface Link {
  /** The name of the lock that the run takes, where the platform needs one. */
  readonly lock: string | undefined
  post(message: ToWorker): void
  /** The inside is done: the worker goes, once what it has begun (files) is done. */
  leave(): void
  /** Ends it where it stands. */
  terminate(): void
}
