import type { Tree } from '@tapeflow/autodiff'
import { isObservable, merge, Subject, type Subscription } from 'rxjs'
import type { TrainCommand } from '../commands.ts'
import { fit } from '../fit.ts'
import type { FitOptions } from '../options.ts'
import { clock } from '../pace.ts'
import type { Model } from '../step.ts'
import { mapCommand, wordsToKey } from './copied-tree.ts'
import { credit } from './credit.ts'
import type { Port, ToWorker } from './messages.ts'
import { packing } from './packing.ts'
import { type Recipe, type RunArguments, requireArguments } from './recipe.ts'
import { told } from './told-error.ts'
import { parseTravel, type Travel } from './travel.ts'

// One that is handled while the next one is made: with one the run would wait for each answer.
const batchesAtMost = 2
// A slice is one message, and commands are heard between slices: a page's reason for short ones is none here, but this is.
const budgetByDefault = 4
const budgetAtMost = 50
// However many steps a slice has, a message has no more.
const eventsAtMost = 4096

/** The run of a worker from within. */
interface Inside {
  command(command: TrainCommand): void
  handled(): void
  close(): void
}

/**
 * Runs what the outside asks for, once, and tells of it.
 *
 * @param recipeOf the recipe of the module with this URL, or the worker's own
 */
export function serve(port: Port, recipeOf: (module: string | undefined) => Promise<Recipe<unknown>>): void {
  let inside: Inside | null = null
  port.listen((message) => {
    switch (message.type) {
      case 'run':
        inside ??= start(port, message, recipeOf)
        break
      case 'command':
        inside?.command(mapCommand(message.command, wordsToKey))
        break
      case 'handled':
        inside?.handled()
        break
      case 'close':
        inside?.close()
        port.post({ type: 'closed' })
        port.close()
    }
  })
}

/** Makes the run. Commands that come before it is there are kept for it. */
function start(
  port: Port,
  { module, options, watch, every, lock }: ToWorker & { type: 'run' },
  recipeOf: (module: string | undefined) => Promise<Recipe<unknown>>,
): Inside {
  const travel = parseTravel(watch, every)
  const early: TrainCommand[] = []
  let closed = false
  let run: Inside | null = null

  const begin = async (): Promise<void> => {
    const held = lock !== undefined && (await port.hold(lock))
    port.post({ type: 'ready', held })
    const recipe = await recipeOf(module)
    const given = requireArguments(await recipe(options))
    if (closed) return
    run = running(port, given, travel)
    for (const command of early) run.command(command)
  }
  begin().catch((error: unknown) => {
    if (!closed) failed(port, error)
  })
  return {
    command: (command) => (run === null ? early.push(command) : run.command(command)),
    handled: () => run?.handled(),
    close: () => {
      closed = true
      run?.close()
    },
  }
}

function failed(port: Port, error: unknown): void {
  port.post({ type: 'failed', error: told(error) })
  port.close()
}

function running(port: Port, { model, ...options }: RunArguments, travel: Travel): Inside {
  const { pace, scheduler, watch = [], commands } = options
  const { budget = budgetByDefault, rest = 0 } = pace === undefined || isObservable(pace) ? {} : pace
  const onTheirWay = credit(clock(rest, scheduler), batchesAtMost)
  const inbox = new Subject<TrainCommand>()
  const inWorker = {
    ...options,
    watch: [...watch, ...travel.inside],
    commands: commands === undefined ? inbox : merge(commands, inbox),
    scheduler: onTheirWay.scheduler,
    pace: isObservable(pace) ? pace : { budget: Math.min(budget, budgetAtMost), rest },
  }
  const packed = packing(travel)
  let subscription: Subscription | null = null
  let over = false

  const flush = (): void => {
    if (over || packed.size === 0) return
    const { batch, transfer } = packed.take()
    port.post({ type: 'events', ...batch }, transfer)
    onTheirWay.sent()
  }
  const end = (tell: () => void): void => {
    if (over) return
    try {
      flush()
      over = true
      tell()
    } catch (error) {
      fail(error)
    }
  }
  const fail = (error: unknown): void => {
    over = true
    subscription?.unsubscribe()
    failed(port, error)
  }
  // A slice is one task: what is asked for in a microtask is done at its end.
  const flushLater = (): void =>
    queueMicrotask(() => {
      try {
        flush()
      } catch (error) {
        fail(error)
      }
    })

  // What goes together is for fit to check.
  const run$ = fit(model as Model<Tree, Tree>, inWorker as FitOptions)
  subscription = run$.subscribe({
    next: (event) => {
      if (over) return
      try {
        if (packed.size === 0) flushLater()
        packed.add(event)
        if (packed.size === eventsAtMost) flush()
      } catch (error) {
        fail(error)
      }
    },
    error: (error: unknown) => end(() => failed(port, error)),
    complete: () =>
      end(() => {
        port.post({ type: 'done' })
        port.close()
      }),
  })
  return {
    command: (command) => inbox.next(command),
    handled: onTheirWay.handled,
    close: () => {
      over = true
      subscription.unsubscribe()
    },
  }
}
