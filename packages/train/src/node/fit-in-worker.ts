import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { failRange, failType, kindOf } from '@tapeflow/autodiff'
import type { Observable } from 'rxjs'
import { type FitInWorkerOptions, requireAsked } from '../worker/asked.ts'
import type { Link, LinkListener } from '../worker/messages.ts'
import type { EventsOf, Recipe } from '../worker/recipe.ts'
import { remote } from '../worker/remote.ts'

/** As in a page, and how the thread is made. */
export interface FitInThreadOptions extends FitInWorkerOptions {
  /** For Node: `{ resourceLimits: { maxOldGenerationSizeMb: 4096 } }`, `execArgv`, `env`. */
  readonly worker?: WorkerOptions
}

// How long files that a run has begun may take, once it has ended.
const graceOfFiles = 5000

/**
 * The stream of a training run in a worker thread of Node: what `fitInWorker` of `@tapeflow/train` is in a page.
 *
 * @param source the URL of a module whose default export is the recipe, `new URL('./recipe.js', import.meta.url)`; or a function
 * that makes a worker whose file calls `serveFit`
 * @param given data for the recipe; it is cloned
 * @param options `watch` (what travels), `every` (with which steps), `commands`, and `worker`, options of the thread
 * @typeParam R the recipe's type: `fitInWorker<typeof recipe>(…)` types options and events
 * @throws TypeError or RangeError at once where something passed is wrong: a function in `options`, an unknown name to watch
 * @example
 * const { Worker } = await import('node:worker_threads')
 * const start = () => new Worker('throw new RangeError("said inside")', { eval: true })
 * const error = await lastValueFrom(fitInWorker(start, {})).catch((error) => error)
 * error.message // => 'fitInWorker: the worker failed: said inside'
 * error.cause.name // => 'RangeError'
 */
export function fitInWorker<R extends Recipe = Recipe<unknown>>(
  source: string | URL | (() => Worker),
  given: Parameters<R>[0],
  options: FitInThreadOptions = {},
): Observable<EventsOf<R>> {
  if (typeof source !== 'function' && typeof source !== 'string' && !(source instanceof URL)) {
    failType(
      'fitInWorker',
      `the module must be a URL or a function that makes a worker, got ${kindOf(source)}`,
      'pass the URL of a module whose default export is the recipe',
    )
  }
  const asked = requireAsked(typeof source === 'function' ? undefined : absolute(source), given, options, [
    'worker',
  ])
  return remote<R>((listener) => open(source, options.worker, listener), asked, options.commands)
}

function absolute(source: string | URL): string {
  if (typeof source === 'string' && isAbsolute(source)) return pathToFileURL(source).href
  try {
    return new URL(source).href
  } catch {
    return failRange(
      'fitInWorker',
      `the module must be a URL or an absolute path, got '${String(source)}'`,
      'pass the URL of a module whose default export is the recipe',
    )
  }
}

function open(
  source: string | URL | (() => Worker),
  options: WorkerOptions | undefined,
  { message, died }: LinkListener,
): Link {
  const worker =
    typeof source === 'function'
      ? source()
      : new Worker(new URL('./worker-entry.ts', import.meta.url), options)
  let grace: NodeJS.Timeout | undefined
  const terminate = (): void => {
    // It resolves, once the thread has ended.
    void worker.terminate()
  }
  worker.on('message', message)
  worker.on('messageerror', (cause) =>
    died(new Error('fitInWorker: what the worker sent could not be read', { cause })),
  )
  worker.on('error', (cause) => died(errorOf(cause)))
  worker.on('exit', (code) => {
    clearTimeout(grace)
    const how = 'it called process.exit, was terminated, or its file never called serveFit'
    died(new Error(`fitInWorker: the worker ended with exit code ${code} before the run did; ${how}`))
  })
  return {
    lock: undefined,
    post: (data) => worker.postMessage(data),
    leave: () => {
      grace = setTimeout(terminate, graceOfFiles).unref()
    },
    terminate,
  }
}

function errorOf(cause: Error & { readonly code?: string }): Error {
  if (cause.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    const remedy = 'pass worker: { resourceLimits: { maxOldGenerationSizeMb: 4096 } }, or send less'
    return new Error(`fitInWorker: the worker ran out of memory; ${remedy}`, { cause })
  }
  return new Error(`fitInWorker: the worker failed: ${cause.message}`, { cause })
}
