import { isMainThread, parentPort } from 'node:worker_threads'
import { failType } from '@tapeflow/autodiff'
import type { Port } from '../worker/messages.ts'
import { type Recipe, requireRecipe } from '../worker/recipe.ts'
import { serve } from '../worker/serve.ts'

/**
 * Makes this worker thread one that `fitInWorker` can start with a function, `() => new Worker(file)`: it waits for the options,
 * calls the recipe with them, and runs `fit` with what it returns.
 *
 * @param recipe `(options) => ({ model, data, loss, optimizer, epochs, … })`, synchronous or not
 * @throws TypeError where this is no worker thread, or the recipe no function
 * @example
 * serveFit(42) // throws TypeError: serveFit: the recipe must be a function
 */
export function serveFit<O>(recipe: Recipe<O>): void {
  const own = requireRecipe('serveFit', recipe, 'the recipe')
  serve(portOfThread('serveFit'), () => Promise.resolve(own))
}

/** @internal the line of this thread to who started it */
export function portOfThread(operation: string): Port {
  if (isMainThread || parentPort === null) {
    failType(
      operation,
      'this is no worker thread',
      'call it in the file of one; in a page, import it of @tapeflow/train',
    )
  }
  const port = parentPort
  return {
    post: (message, transfer = []) => port.postMessage(message, transfer),
    listen: (heard) => port.on('message', heard),
    // That a thread has ended is told by Node.
    hold: () => Promise.resolve(false),
    // The thread ends once files that were begun are written.
    close: () => port.close(),
  }
}
