import * as t from '@tapeflow/autodiff'

/**
 * How much each query attends to each key: softmax(q k' / sqrt(depth)) over keys, 0 for keys that are hidden. A query from which
 * every key is hidden attends to nothing.
 *
 * @param q `[…, queries, depth]`
 * @param k `[…, keys, depth]`
 * @param mask 1 where a query sees a key, 0 where not; broadcasts to `[…, queries, keys]`
 * @param causal whether query i sees keys 0 to i only
 */
export function attentionWeights(
  q: t.Tensor,
  k: t.Tensor,
  mask: t.Tensor | undefined,
  causal: boolean,
): t.Tensor {
  const [queries, depth] = q.shape.slice(-2) as [number, number]
  const scores = t.mul(t.matmul(q, k, { transposeB: true }), 1 / Math.sqrt(depth))
  const before = causal ? t.tril(t.ones([queries, k.shape[k.rank - 2]!])) : undefined
  const visible = before === undefined ? mask : mask === undefined ? before : t.mul(mask, before)
  if (visible === undefined) return t.softmax(scores)
  // The lowest finite number, and not -Infinity: softmax of nothing but that is NaN.
  return t.where(visible, t.softmax(t.where(visible, scores, -3.4028234663852886e38)), 0)
}
