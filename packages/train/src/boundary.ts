import { failRange, kindOf } from '@tapeflow/autodiff'
import { isObservable, type Observable, type Observer, Subscription } from 'rxjs'
import type { Callback, CallbackInfo } from './callbacks/callback.ts'
import { type Channel, channel } from './channel.ts'
import { decide, malformed, requireCommand, type Sourced, type TrainCommand } from './commands.ts'
import type { TrainEvent } from './events.ts'
import { failureOf } from './failure.ts'
import { handed, handedToMonitor } from './handed.ts'

/** Everyone who hears of a run, and the queue of what they ask. */
export interface Boundary<P, S> {
  /**
   * Shows an event: to the owner, to the callbacks in their order; then acts on commands until none is left; then to
   * the monitors. What they ask acts too, before this returns.
   */
  deliver(event: TrainEvent<P, S>): void
  /** Acts on the commands that came since: between two steps, and while the run waits. */
  settle(): void
  /** Whether a `stop` waits; throws where someone has failed. For what no other command may disturb. */
  isStopAsked(): boolean
  /** Starts the callbacks. Commands from outside are heard from the beginning, and act after the `start` event. */
  join(infoFor: (callback: Callback, index: number) => CallbackInfo): void
  /** Tells callbacks and monitors that it is over. */
  end(): void
  fail(error: unknown): void
  /** Lets go of everyone, of callbacks a turn later where the run has ended. Nobody is told. */
  close(): void
}

/** What a boundary is made of. */
export interface BoundaryParts<P, S> {
  readonly owner: { next(event: TrainEvent<P, S>): void; readonly closed: boolean }
  readonly callbacks: readonly Callback[]
  readonly commands: Observable<TrainCommand> | undefined
  readonly monitors: readonly Observer<TrainEvent>[]
  /** Whether there is nothing left to do for a command: it keeps no other from acting. */
  readonly isIdle: (sourced: Sourced) => boolean
  /** Whether a command has to wait, while others of its kind act. */
  readonly isDeferred: (sourced: Sourced) => boolean
  /** Puts by what has to wait, in the order in which it came. */
  readonly defer: (waiting: readonly Sourced[]) => void
  /** Acts on a command and returns the events that tell of it. */
  readonly act: (sourced: Sourced) => readonly TrainEvent<P, S>[]
  /** Tells of a command that has come after the end. */
  readonly tooLate: (sourced: Sourced) => void
  /** Something has come in while no step was being made. */
  readonly wake: () => void
}

// So many rounds of answers to answers mean that two callbacks are talking to each other.
const roundsAtMost = 1000
// Those who speak in so many of the last rounds are named.
const roundsNamed = 10

/** The people around a run. */
export function boundary<P, S>({
  owner,
  callbacks,
  commands,
  monitors,
  isIdle,
  isDeferred,
  defer,
  act,
  tooLate,
  wake: goOn,
}: BoundaryParts<P, S>): Boundary<P, S> {
  const listening = new Subscription()
  const outside = new Subscription()
  const channels: Channel<TrainEvent>[] = []
  let queue: Sourced[] = []
  let failure: { readonly error: unknown } | null = null
  let rounds = 0
  let isOver = false

  const wake = (): void => {
    if (isOver) queue.splice(0).forEach(tooLate)
    else goOn()
  }
  const check = (): void => {
    if (failure !== null) throw failure.error
  }
  const failed = (name: string, error: unknown): void => {
    failure ??= { error: failureOf(name, error) }
    wake()
  }
  const listen = (
    commands$: Observable<TrainCommand>,
    source: string,
    lenient: boolean,
    name: string,
  ): void => {
    const heard = lenient ? outside : listening
    heard.add(
      commands$.subscribe({
        next: (command) => {
          try {
            requireCommand(command)
            queue.push({ command, source, lenient })
          } catch (error) {
            if (!lenient) return failed(name, error)
            queue.push({ command: malformed(error), source, lenient })
          }
          wake()
        },
        error: (error: unknown) => failed(name, error),
      }),
    )
  }

  const present = (kept: TrainEvent<P, S>): void => {
    const event = handed(kept)
    owner.next(event)
    // Counted: an iterator would be garbage at every step.
    for (let i = 0; i < channels.length; i++) {
      if (owner.closed) return
      channels[i]!.next(event)
      check()
    }
  }
  const observe = (event: TrainEvent<P, S>): void => {
    for (let i = 0; i < monitors.length; i++) {
      if (owner.closed) return
      monitors[i]!.next(handedToMonitor(event))
    }
  }

  const acted = (sourced: Sourced): readonly TrainEvent<P, S>[] => {
    try {
      return act(sourced)
    } catch (error) {
      throw failureOf(`callback '${sourced.source}'`, error)
    }
  }
  // The last of a kind that is not refused acts; true where that is a `stop`.
  const actOnOne = (kind: readonly Sourced[], told: TrainEvent<P, S>[]): boolean => {
    const waiting: Sourced[] = []
    let stops = false
    for (const sourced of kind) {
      if (owner.closed) return false
      if (isDeferred(sourced)) {
        waiting.unshift(sourced)
        continue
      }
      const events = acted(sourced)
      for (const event of events) {
        told.push(event)
        present(event)
      }
      const isRefused = events.some((event) => event.type === 'command' && event.refused !== undefined)
      if (isRefused) continue
      stops = sourced.command.type === 'stop'
      break
    }
    defer(waiting)
    return stops
  }
  const actOnAll = (): TrainEvent<P, S>[] => {
    const told: TrainEvent<P, S>[] = []
    const speakers = new Set<string>()
    // A checkpoint is of what all have made, those too who answer others.
    let checkpoint: readonly Sourced[] | null = null
    while (queue.length > 0 || checkpoint !== null) {
      if (rounds > roundsAtMost - roundsNamed) for (const { source } of queue) speakers.add(source)
      if (rounds++ === roundsAtMost) {
        failRange(
          'fit',
          `commands were answered with commands ${roundsAtMost} times, by '${[...speakers].join("', '")}'`,
          'do not answer every command event',
        )
      }
      const isLast = queue.length === 0
      const kinds: ReturnType<typeof decide> = isLast
        ? [checkpoint!]
        : decide(queue.filter((sourced) => !isIdle(sourced)))
      if (isLast) checkpoint = null
      queue = []
      for (const kind of kinds) {
        if (owner.closed) return told
        if (!isLast && kind[0]!.command.type === 'checkpoint') checkpoint = kind
        // The end of a stopped run is a checkpoint of its own.
        else if (actOnOne(kind, told)) checkpoint = null
      }
    }
    return told
  }
  // What monitors ask acts too, which monitors hear of.
  const drain = (): void => {
    check()
    while (queue.length > 0 && !owner.closed) for (const event of actOnAll()) observe(event)
  }

  if (commands !== undefined) listen(commands, 'commands', true, 'commands')
  return {
    deliver(event) {
      rounds = 0
      if (event.type === 'end') isOver = true
      present(event)
      if (queue.length === 0) observe(event)
      else for (const one of [event, ...actOnAll()]) observe(one)
      drain()
    },
    settle() {
      rounds = 0
      drain()
    },
    isStopAsked() {
      check()
      return queue.some(({ command }) => command.type === 'stop')
    },
    join(infoFor) {
      for (const [i, callback] of callbacks.entries()) {
        if (owner.closed) return
        const part = `callback '${callback.name}'`
        const events = channel<TrainEvent>((error) => failed(part, error))
        const commands$ = started(callback, events.values$, infoFor(callback, i))
        channels.push(events)
        listen(commands$, callback.name, false, part)
      }
      check()
    },
    end() {
      for (const events of channels) if (!owner.closed) events.complete()
      check()
      for (const monitor of monitors) if (!owner.closed) monitor.complete()
    },
    fail(error) {
      for (const monitor of monitors) monitor.error(error)
    },
    close() {
      outside.unsubscribe()
      queue = []
      // An answer to `finishing` out of a promise comes just after the end.
      if (isOver) setTimeout(() => listening.unsubscribe())
      else listening.unsubscribe()
    },
  }
}

function started(
  callback: Callback,
  events$: Observable<TrainEvent>,
  info: CallbackInfo,
): Observable<TrainCommand> {
  let commands$: unknown
  try {
    commands$ = callback.run(events$, info)
  } catch (error) {
    throw failureOf(`callback '${callback.name}'`, error)
  }
  if (isObservable(commands$)) return commands$ as Observable<TrainCommand>
  const problem = new TypeError(
    `run must return an Observable of commands, got ${kindOf(commands$)}; return EMPTY for none`,
  )
  throw failureOf(`callback '${callback.name}'`, problem)
}
