// Workers of the platform that the tests run on.
import type { Observable } from 'rxjs'
import {
  type FitInWorkerOptions,
  fit,
  fitInWorker as inWebWorker,
  type StepEvent,
  type TrainEvent,
} from '../../src/index.ts'
import { turn } from '../small.ts'
import recipe, { type Asked } from './recipe.ts'

/** What a test passes to it. */
export type InWorker = (options: Asked, given?: FitInWorkerOptions) => Observable<TrainEvent>

/** What all workers have. */
export interface AnyWorker {
  postMessage(message: unknown): void
  terminate(): unknown
}

/** The workers of tests. */
export interface Workers {
  /** Runs `recipe.ts` in a worker that calls `serveFit`. `made` is shown each worker before it is used. */
  readonly inWorker: (made?: (worker: AnyWorker) => void) => InWorker
  /** Runs the module at a URL. */
  readonly inModule: (module: URL | string) => InWorker
  /** How many workers are alive; later than they end by as long as the platform takes. */
  readonly alive: () => Promise<number>
}

/** Whether these are worker threads of Node. */
export const isNode: boolean = typeof process !== 'undefined' && process.versions?.node !== undefined

/** The workers of this platform. */
export async function workersHere(): Promise<Workers> {
  return isNode ? (await import('./threads.ts')).threads() : webWorkers
}

const webWorkers: Workers = {
  inWorker: (made) => (options, given) =>
    inWebWorker<typeof recipe>(
      () => {
        const worker = new Worker(new URL('./recipe.worker.ts', import.meta.url), { type: 'module' })
        made?.(worker)
        return worker
      },
      options,
      given,
    ),
  inModule: (module) => (options, given) => inWebWorker<typeof recipe>(module, options, given),
  alive: async () => {
    const { held = [] } = await navigator.locks.query()
    return held.filter(({ name }) => name?.startsWith('tapeflow ')).length
  },
}

/** The same run on this thread. */
export function onThisThread(asked: Asked, watched = false): Observable<TrainEvent> {
  const { model, ...rest } = recipe(asked)
  return fit(model, watched ? { ...rest, watch: ['gradients', 'gradientNorm', 'activations'] } : rest)
}

/** Waits until all workers are gone. */
export async function untilGone({ alive }: Workers): Promise<void> {
  while ((await alive()) > 0) await turn()
}

/** The steps among events. */
export function stepsOf(events: readonly TrainEvent[]): readonly StepEvent[] {
  return events.filter((event) => event.type === 'step')
}
