import { serveFit } from '../../src/node.ts'
import recipe from './recipe.ts'

serveFit(recipe)
