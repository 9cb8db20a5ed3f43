// The script of a Web Worker that fitInWorker starts for a module by its URL.
import { portOfWorker } from './serve-fit.ts'
import { importedRecipe } from './worker/imported.ts'
import { serve } from './worker/serve.ts'

serve(portOfWorker('fitInWorker'), importedRecipe)
