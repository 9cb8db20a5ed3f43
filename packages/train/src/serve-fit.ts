import { failType } from '@tapeflow/autodiff'
import type { Port } from './worker/messages.ts'
import { type Recipe, requireRecipe } from './worker/recipe.ts'
import { serve } from './worker/serve.ts'

/**
 * Makes this Web Worker one that `fitInWorker` can start: it waits for the options, calls the recipe with them, and runs
 * `fit` with what it returns. The script of a worker is one import and this call:
 *
 *     // recipe.worker.ts
 *     import { serveFit } from '@tapeflow/train'
 *     import recipe from './recipe.ts'
 *     serveFit(recipe)
 *
 * @param recipe `(options) => ({ model, data, loss, optimizer, epochs, … })`, synchronous or not
 * @throws TypeError where this is no worker, or the recipe no function
 * @example
 * serveFit(() => ({})) // throws TypeError: serveFit: this is no Web Worker
 */
export function serveFit<O>(recipe: Recipe<O>): void {
  const own = requireRecipe('serveFit', recipe, 'the recipe')
  serve(portOfWorker('serveFit'), () => Promise.resolve(own))
}

/** What of a worker's global is used here: the page's types are another's. */
interface WorkerScope {
  postMessage(message: unknown, transfer: readonly ArrayBuffer[]): void
  addEventListener(type: 'message', heard: (event: MessageEvent) => void): void
}

/** @internal the line of this worker to who started it */
export function portOfWorker(operation: string): Port {
  if (!('WorkerGlobalScope' in globalThis)) {
    failType(
      operation,
      'this is no Web Worker',
      'call it in the script of one; in a worker thread of Node, import it of @tapeflow/train/node',
    )
  }
  // Checked: a page has no such class.
  const scope = globalThis as unknown as WorkerScope
  return {
    post: (message, transfer = []) => scope.postMessage(message, transfer),
    listen: (heard) => scope.addEventListener('message', ({ data }) => heard(data)),
    hold: (lock) =>
      new Promise((resolve) => {
        const until = (): Promise<never> => {
          resolve(true)
          // The worker is no more.
          return new Promise(() => {})
        }
        // An origin that is nobody's, as of a data: URL, has no locks.
        navigator.locks.request(lock, until).catch(() => resolve(false))
      }),
    close: () => {},
  }
}
