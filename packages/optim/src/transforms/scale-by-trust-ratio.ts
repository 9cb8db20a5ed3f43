import { div, greater, minimum, mul, norm, scope, type Tensor, where } from '@tapeflow/autodiff'
import { negligible } from '../range.ts'
import { directing } from '../rule.ts'
import type { Transform } from '../transform.ts'

/**
 * Updates as long as the parameters that they change, tensor by tensor: u · ‖w‖ / ‖u‖, and u where either length is 0, so that
 * weights that start at zero can leave it, or ‖u‖ below 2e-38 ‖w‖. The rate is then the share of its length by which a tensor moves
 * at a step.
 *
 * Behind `scaleByAdam` it makes `lamb`; behind decayed gradients and before a `trace` it makes LARS. Biases are often left out.
 *
 * @returns a link of a `chain` without hyperparameters
 * @example
 * const link = scaleByTrustRatio()
 * const params = { w: t.tensor([3, 4]), zero: t.tensor([0, 0]) }
 * const updates = { w: t.tensor([0, 0.5]), zero: t.tensor([0, 0.5]) }
 * const scaled = link.update(updates, {}, params, link.hyper(0)).updates
 * ;[scaled.w.toArray(), scaled.zero.toArray()] // => [[0, 5], [0, 0.5]]
 *
 * You, Gitman & Ginsburg 2017, Large batch training of convolutional networks (LARS); You et al. 2020, Large batch optimization for
 * deep learning: training BERT in 76 minutes (LAMB).
 */
export function scaleByTrustRatio(): Transform<never> {
  return directing<never, never>({
    name: 'scaleByTrustRatio',
    slots: [],
    values: {},
    ranges: {},
    leaf: () => (w, u) => [mul(u, trustRatio(w, u))],
  })
}

/** ‖w‖ / ‖u‖, and 1 where either is 0, or ‖u‖ is negligible beside ‖w‖: a scalar. */
export function trustRatio(w: Tensor, u: Tensor): Tensor {
  return scope(() => {
    const [length, step] = [norm(w), norm(u)]
    // So much shorter, that the quotient could be infinite in float32, is as good as 0.
    const moves = greater(minimum(length, step), mul(length, negligible))
    // 1 / 1 where it is not used: a quotient by 0 would have no gradient.
    return div(where(moves, length, 1), where(moves, step, 1))
  })
}
