import { serveFit } from '../../src/index.ts'
import recipe from './recipe.ts'

serveFit(recipe)
