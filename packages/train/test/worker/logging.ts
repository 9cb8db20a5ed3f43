// A recipe that writes a file.

import type { FitArguments } from '../../src/index.ts'
import { csvLogger } from '../../src/node.ts'
import recipe from './recipe.ts'

export default function logging({
  path,
  steps,
}: {
  readonly path: string
  readonly steps: number
}): FitArguments {
  return { ...recipe({ steps }), monitors: [csvLogger(path, { every: 1 })] }
}
