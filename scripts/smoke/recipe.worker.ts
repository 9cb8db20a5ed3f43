// The script of a Web Worker, which bundlers find by its name in `new Worker(new URL(…))`.
import { serveFit } from '@tapeflow/train'
import recipe from './recipe.js'

serveFit(recipe)
