import * as t from '@tapeflow/autodiff'
import { hasRelaxedSimd, relaxed } from '@tapeflow/autodiff/relaxed'

/** What the mode gives in a process of its own: a digest of bits, or the words of what is refused. */
function found(): unknown {
  try {
    const step = t.compile((x: t.Tensor, w: t.Tensor) => t.gelu(t.matmul(x, w)), { numerics: relaxed() })
    const [x, w] = [t.normal(t.key(1), [65, 300]), t.normal(t.key(2), [300, 70])]
    return [step, t.compile((x: t.Tensor, w: t.Tensor) => t.gelu(t.matmul(x, w)))].map((f) => {
      const words = new Uint32Array(f(x, w).toFloat32Array().buffer)
      return words.reduce((sum, word) => (Math.imul(sum, 31) + word) >>> 0, 0)
    })
  } catch (error) {
    return String(error)
  }
}

console.log(JSON.stringify({ hasRelaxedSimd: hasRelaxedSimd(), found: found() }))
