import type { Observable, Subscription } from 'rxjs'
import { malformed, type TrainCommand } from '../commands.ts'
import type { TrainEvent } from '../events.ts'
import { failureOf } from '../failure.ts'
import { OwnedObservable } from '../owned.ts'
import { keyToWords, mapCommand } from './copied-tree.ts'
import type { FromWorker, Link, LinkListener, ToWorker } from './messages.ts'
import type { EventsOf, Recipe } from './recipe.ts'
import { revived } from './told-error.ts'
import { parseTravel } from './travel.ts'
import { unpacking } from './unpacking.ts'

/** What is asked of a worker: all that its `run` message says, but for the lock. */
export type Asked = Omit<ToWorker & { type: 'run' }, 'type' | 'lock'>

// How long a run that nobody listens to may take to notice: it does between two steps.
const graceOfRun = 1000

/** The events of a run in a worker that `open` starts; each subscription starts one. */
export function remote<R extends Recipe>(
  open: (listener: LinkListener) => Link,
  asked: Asked,
  commands: Observable<TrainCommand> | undefined,
): Observable<EventsOf<R>> {
  const events$ = new OwnedObservable<TrainEvent>((owner) => {
    const receive = unpacking(parseTravel(asked.watch, asked.every), owner)
    let link: Link | null = null
    let listening: Subscription | null = null
    let stage: 'starting' | 'running' | 'closing' | 'over' = 'starting'
    let grace: ReturnType<typeof setTimeout> | undefined

    // Over: whatever comes now is too late. `leaving` is what becomes of the worker.
    const end = (leaving: 'leave' | 'terminate'): void => {
      stage = 'over'
      clearTimeout(grace)
      listening?.unsubscribe()
      link?.[leaving]()
    }
    const isHeard = (): boolean => stage === 'starting' || stage === 'running'
    const fail = (error: unknown): void => {
      if (!isHeard()) return
      end('terminate')
      owner.error(error)
    }
    const hear = (message: FromWorker): void => {
      if (message.type === 'closed' && stage === 'closing') end('leave')
      if (!isHeard()) return
      switch (message.type) {
        case 'ready':
          stage = 'running'
          break
        case 'events':
          receive(message)
          if (isHeard()) link?.post({ type: 'handled' })
          break
        case 'failed':
          end('leave')
          owner.error(revived(message.error))
          break
        case 'done':
          end('leave')
          owner.complete()
      }
    }
    // What is no command is refused inside, and what cannot be sent is none.
    const send = (command: TrainCommand): void => {
      try {
        link?.post({ type: 'command', command: mapCommand(command, keyToWords) })
      } catch (error) {
        link?.post({
          type: 'command',
          command: malformed(failureOf('sending a command', error, 'fitInWorker')),
        })
      }
    }

    try {
      link = open({ message: hear, died: (error) => (stage === 'closing' ? end('leave') : fail(error)) })
      link.post({ type: 'run', lock: link.lock, ...asked })
      listening =
        commands?.subscribe({
          next: send,
          error: (error: unknown) => queueMicrotask(() => fail(failureOf('commands', error))),
        }) ?? null
    } catch (error) {
      queueMicrotask(() => fail(error))
    }
    return () => {
      if (stage === 'starting') end('terminate')
      if (stage !== 'running') return
      stage = 'closing'
      listening?.unsubscribe()
      link?.post({ type: 'close' })
      grace = setTimeout(() => end('terminate'), graceOfRun)
    }
  })
  // What the recipe's type says of its events, which it made.
  return events$ as Observable<unknown> as Observable<EventsOf<R>>
}
