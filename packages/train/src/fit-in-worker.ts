import { failRange, failType, kindOf } from '@tapeflow/autodiff'
import type { Observable } from 'rxjs'
import { type FitInWorkerOptions, requireAsked } from './worker/asked.ts'
import type { Link, LinkListener } from './worker/messages.ts'
import type { EventsOf, Recipe } from './worker/recipe.ts'
import { remote } from './worker/remote.ts'

/**
 * The stream of a training run in a Web Worker: as `fit`, cold, with the same bits, on a thread of its own. Each subscription
 * starts a worker; unsubscribing ends the run in it, and then the worker.
 *
 * The model, the data and all else that `fit` takes are made inside, by a function that is handed `options`: the module's recipe.
 * Callbacks and monitors that it returns run inside too. Events come in batches, one a slice of the run, and are emitted one after the other;
 * the run waits while two batches are on their way: none is lost, and no queue grows. Numbers come with every event. Of
 * tensors comes what `watch` asks for, as arrays: `event.weights.snapshot()` gives copies, which last. `event.weights.tree`
 * makes tensors of them, which last as long as their event is handled. What was not watched throws, and names the option.
 *
 * The last event's `result` is copied here. An error inside is this stream's, with its kind, causes and the stack that it had there. A worker
 * that dies, or cannot be started, is an error that says so.
 *
 *     new Worker(new URL('./recipe.worker.ts', import.meta.url), { type: 'module' })     recipe.worker.ts: serveFit(recipe)
 *
 * @param source what starts the worker: a function that makes one whose script calls `serveFit`, which is what bundlers understand; or,
 * where pages are not bundled, the URL of a module whose default export is the recipe, relative to the page
 * @param given data for the recipe; it is cloned
 * @param options `watch` (what travels), `every` (with which steps), `commands`
 * @typeParam R the recipe's type: `fitInWorker<typeof recipe>(…)` types options and events
 * @throws TypeError or RangeError at once where something passed is wrong: a function in `options`, an unknown name to watch
 * @example
 * const run$ = fitInWorker(() => new Worker('/recipe.worker.js', { type: 'module' }), { hidden: 16 }, { watch: ['weights'], every: 10 })
 * isObservable(run$) // => true
 */
export function fitInWorker<R extends Recipe = Recipe<unknown>>(
  source: string | URL | (() => Worker),
  given: Parameters<R>[0],
  options: FitInWorkerOptions = {},
): Observable<EventsOf<R>> {
  if (typeof source !== 'function' && typeof source !== 'string' && !(source instanceof URL)) {
    failType(
      'fitInWorker',
      `the module must be a URL or a function that makes a worker, got ${kindOf(source)}`,
      'pass a function that makes a worker whose script calls serveFit',
    )
  }
  const asked = requireAsked(typeof source === 'function' ? undefined : absolute(source), given, options)
  return remote<R>((listener) => open(source, listener), asked, options.commands)
}

function absolute(source: string | URL): string {
  try {
    return new URL(source, globalThis.location?.href).href
  } catch {
    return failRange('fitInWorker', `the module must be a URL, got '${String(source)}'`)
  }
}

function open(source: string | URL | (() => Worker), { message, died }: LinkListener): Link {
  if (typeof source !== 'function' && typeof Worker === 'undefined') {
    failType(
      'fitInWorker',
      'there are no Web Workers here',
      'in Node, import fitInWorker of @tapeflow/train/node',
    )
  }
  const worker =
    typeof source === 'function'
      ? source()
      : new Worker(new URL('./worker-entry.ts', import.meta.url), { type: 'module' })
  const watching = new AbortController()
  const lock = globalThis.navigator?.locks === undefined ? undefined : `tapeflow ${crypto.randomUUID()}`
  worker.onmessage = ({ data }) => {
    if (data.type === 'ready' && data.held && lock !== undefined) watch(lock, watching.signal, died)
    message(data)
  }
  worker.onmessageerror = () => died(new Error('fitInWorker: what the worker sent could not be read'))
  worker.onerror = (event) => {
    // Else it is reported once more, to the page.
    event.preventDefault()
    died(errorOf(event))
  }
  const terminate = (): void => {
    watching.abort()
    worker.terminate()
  }
  return { lock, post: (data) => worker.postMessage(data), leave: terminate, terminate }
}

/** A worker's death is no event. It holds a lock as long as it lives: who gets it next knows. */
function watch(lock: string, signal: AbortSignal, died: (error: Error) => void): void {
  const words =
    'fitInWorker: the worker ended before the run did; it closed itself, was terminated, or ran out of memory'
  const dead = (): void => {
    // What it had said before may still be on its way.
    setTimeout(() => died(new Error(words)), 100)
  }
  // Rejected where the watching ends, and there is nothing to do.
  navigator.locks.request(lock, { signal }, dead).catch(() => {})
}

function errorOf({ message, filename, lineno, error }: ErrorEvent): Error {
  if (message === undefined || message === '') {
    return new Error(
      "fitInWorker: the worker's script could not be loaded; check its URL, and that it is a module that loads by itself",
    )
  }
  return new Error(`fitInWorker: the worker failed: ${message} (${filename}:${lineno})`, { cause: error })
}
