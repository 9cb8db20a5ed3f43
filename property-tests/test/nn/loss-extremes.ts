import type { Numbers } from './loss-definitions.ts'

/** Rows of predictions with rows of targets. */
type Pairs = readonly (readonly [prediction: Numbers, target: Numbers])[]

export const size = 1e4

export const far: Pairs = [
  [
    [size, -size, 0],
    [0, 0, 0],
  ],
  [
    [-size, size, size],
    [size, size, -size],
  ],
]
export const wide: Pairs = [
  [
    [0, Number.NEGATIVE_INFINITY, 1],
    [1, 0, 0],
  ],
  [
    [size, -size, 0],
    [1, 0, 0],
  ],
  [
    [size, -size, 0],
    [0, 1, 0],
  ],
  [
    [size, size, -size],
    [0, 0, 1],
  ],
]
export const sure: Pairs = [
  [
    [1, 0, 0],
    [1, 0, 0],
  ],
  [
    [1, 0, 0],
    [0, 1, 0],
  ],
  [
    [0.5, 0.5, 0],
    [0.5, 0.5, 0],
  ],
]
export const sided: Pairs = [
  [
    [size, -size, size],
    [1, -1, -1],
  ],
  [
    [-size, -size, size],
    [1, -1, 1],
  ],
]
export const certain: Pairs = [
  [
    [0, 1, 0.5],
    [0.5, 0.5, 0.5],
  ],
  [
    [0, 1, 1],
    [0, 1, 1],
  ],
  [
    [0, 1, 0.5],
    [1, 0, 0],
  ],
]
/** The same with labels in the place of rows. */
export const labelled = (pairs: Pairs): Pairs => pairs.map(([x, z]) => [x, [z.indexOf(Math.max(...z))]])
