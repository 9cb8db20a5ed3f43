import { rows as adam } from './adam.ts'
import { rows as adamFamily } from './adam-family.ts'
import { rows as adaptive } from './adaptive.ts'
import { rows as lbfgs } from './lbfgs.ts'
import { rows as links } from './links.ts'
import { rows as modern } from './modern.ts'
import { rows as momentum } from './momentum.ts'
import { rows as partition } from './partition.ts'
import type { Row } from './row.ts'

/** Every optimizer that tests run over. */
export const rows: readonly Row[] = [
  ...momentum,
  ...adaptive,
  ...adam,
  ...adamFamily,
  ...links,
  ...modern,
  ...lbfgs,
  ...partition,
]
