import * as t from '@tapeflow/autodiff'
import type { Layer } from '../layer.ts'

/**
 * A function as a layer without parameters: y = f(x). Unlike in `activation`, the shape may change; it is found by recording `f` on
 * the shape alone.
 *
 * @param name the words for it in errors
 * @param f from `[rows, …sample]` to `[rows, …]`; written with operations
 * @throws TypeError when `f` is no function; in `init` RangeError when `f` does not keep the rows
 * @example
 * const mean = lambda('mean over steps', (x) => t.mean(x, { axis: 1 }))
 * mean.init(t.key(1), [5, 2]).outputShape // => [2]
 * mean.apply(null, null, t.tensor([[[1, 2], [3, 4]]]), { training: true, path: '' }).y.toArray() // => [[2, 3]]
 */
export function lambda(name: string, f: (x: t.Tensor) => t.Tensor): Layer<null, null> {
  if (typeof f !== 'function')
    t.failType('lambda', `it takes a function, got ${t.kindOf(f)}`, "pass lambda('name', (x) => …)")
  return {
    name,
    init: (_key, inputShape) => {
      // Not 1, which an axis may have by chance.
      const rows = 7
      const [kept, ...outputShape] = t.evalShape((x: t.Tensor) => f(x), [rows, ...inputShape])
      if (kept !== rows) {
        t.failRange(
          'lambda',
          `'${name}' must keep the first axis, that of rows; of ${t.showShape([rows, ...inputShape])} it makes ${t.showShape(kept === undefined ? [] : [kept, ...outputShape])}`,
          'reduce other axes only',
        )
      }
      return { params: null, state: null, outputShape }
    },
    apply: (_params, state, x) => ({ y: t.scope(() => f(x)), state }),
  }
}
