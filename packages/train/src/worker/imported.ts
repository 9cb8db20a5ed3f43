import { failType } from '@tapeflow/autodiff'
import { type Recipe, requireRecipe } from './recipe.ts'

/**
 * The default export of a module.
 *
 * @throws TypeError where there is no URL, or no such export; Error where the module cannot be loaded, with the reason as its cause
 */
export async function importedRecipe(url: string | undefined): Promise<Recipe<unknown>> {
  if (url === undefined) {
    failType(
      'fitInWorker',
      'the worker has no recipe',
      'call serveFit(recipe) in its script, or pass a URL to fitInWorker',
    )
  }
  let module: unknown
  try {
    module = await import(/* @vite-ignore */ /* webpackIgnore: true */ url)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`fitInWorker: ${url} could not be loaded: ${why}`, { cause })
  }
  const recipe: unknown = Reflect.get(module as object, 'default')
  return requireRecipe('fitInWorker', recipe, `the default export of ${url}`)
}
