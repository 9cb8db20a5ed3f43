// The file of a worker thread that fitInWorker starts for a module by its URL.
import { importedRecipe } from '../worker/imported.ts'
import { serve } from '../worker/serve.ts'
import { portOfThread } from './serve-fit.ts'

serve(portOfThread('fitInWorker'), importedRecipe)
