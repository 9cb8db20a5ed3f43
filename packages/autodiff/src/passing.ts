import type { Tensor } from './tensor.ts'

/** What `use` makes of a tensor that nobody else needs: it is given back right after, or with the tape that reads it. */
export function passing<T>(x: Tensor, use: (x: Tensor) => T): T {
  try {
    return use(x)
  } finally {
    x.dispose()
  }
}
