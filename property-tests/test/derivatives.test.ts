import * as t from '@tapeflow/autodiff'
import { describe, it } from 'vitest'
import {
  assertCompiledEqualsEager,
  assertGradientIsCorrect,
  assertJvpAgreesWithVjp,
  assertLeavesNoTrace,
  assertVjpIsLinear,
} from '../src/index.ts'

type Given = { readonly x: t.Tensor; readonly w: t.Tensor }

const given = (): Given => ({ x: t.normal(t.key(1), [4, 3]), w: t.normal(t.key(2), [3, 3], 0, 0.5) })

const step = (c: t.Tensor, row: t.Tensor, w: t.Tensor): { carry: t.Tensor; y: t.Tensor } => {
  const next = t.tanh(t.add(t.matmul(t.reshape(c, [1, 3]), w), row))
  return { carry: t.reshape(next, [3]), y: t.square(next) }
}

/** Functions that are more than a few operations: what is between them may get in the way of derivatives. */
const functions: Readonly<Record<string, (p: Given) => t.Tree>> = {
  'normalized layers': ({ x, w }) =>
    t.layerNorm(t.matmul(x, w), t.sum(w, { axis: 0 }), t.mean(x, { axis: 0 })),
  attention: ({ x, w }) => t.scaledDotProductAttention(t.matmul(x, w), x, t.tanh(x)),
  'a cross-entropy': ({ x, w }) => t.softmaxCrossEntropy(t.matmul(x, w), t.softmax(x)),
  'a scan': ({ x, w }) => t.scan((c: t.Tensor, row: t.Tensor) => step(c, row, w), t.ones([3]), x),
  'a scan backwards over captured rows': ({ x, w }) =>
    t.scan((c: t.Tensor, row: t.Tensor) => step(t.mul(c, t.sum(x)), row, w), t.ones([3]), w, {
      reverse: true,
    }),
  'a checkpoint': ({ x, w }) =>
    t.checkpoint((a: t.Tensor, b: t.Tensor) => t.tanh(t.matmul(t.exp(a), b)))(x, w),
  'a scan of checkpoints': ({ x, w }) =>
    t.scan(
      t.checkpoint((c: t.Tensor, row: t.Tensor) => step(c, row, w)),
      t.ones([3]),
      x,
    ).ys,
  'a rule of its own': ({ x, w }) =>
    t.customVjp(
      (p: Given) => ({ y: t.exp(t.matmul(p.x, p.w)), sum: t.sum(p.w) }),
      ({ y, sum }, value, p) => {
        const into = t.mul(y, value.y)
        return {
          x: t.matmul(into, p.w, { transposeB: true }),
          w: t.add(t.matmul(p.x, into, { transposeA: true }), sum),
        }
      },
    )({ x, w }),
  'random numbers of a key': ({ x, w }) =>
    t.matmul(t.mul(t.bernoulli(t.key(7), [4, 3], 0.5), x), t.mul(w, t.normal(t.key(8), [3, 3]))),
  indices: ({ x, w }) => t.mul(t.gather(w, t.argMax(x, { axis: 1 })), x),
  'a gradient': ({ x, w }) => t.grad((y: t.Tensor) => t.sum(t.tanh(t.matmul(y, w))))(x),
  'a Jacobian-vector product': ({ x, w }) => t.jvp((y: t.Tensor) => t.tanh(t.matmul(y, w)), x, t.square(x)),
  'a Hessian-vector product': ({ x, w }) => t.hvp((y: t.Tensor) => t.sum(t.tanh(t.matmul(y, w))), x, x),
  'what is compiled': ({ x, w }) => t.compile((a: t.Tensor, b: t.Tensor) => t.sigmoid(t.matmul(a, b)))(x, w),
  itself: ({ x }) => [x, t.reshape(x, [12]), x],
  'nothing it depends on': () => [t.ones([2]), t.ones([3])],
}

describe.each(Object.entries(functions))('the derivatives of %s', (_, f) => {
  it('agree forward and backward, and with differences', () => {
    t.scope(() => assertJvpAgreesWithVjp(f, given()))
  })

  it('along a direction have a gradient themselves', () => {
    t.scope(() => {
      const { x, w } = given()
      const from = { p: { x, w }, along: { x: t.normal(t.key(3), [4, 3]), w: t.normal(t.key(4), [3, 3]) } }
      const push = ({ p, along }: typeof from): t.Tree =>
        t.leaves(t.jvp((q: Given) => t.leaves(f(q)), p, along))
      assertGradientIsCorrect(push, from, { limit: 3 })
    })
  })

  it('are the same bits compiled, and leave nothing behind', () => {
    t.scope(() => {
      const push = (p: Given): t.Tree => t.jvp((q: Given) => t.leaves(f(q)), p, { x: t.sin(p.x), w: p.w })
      assertCompiledEqualsEager(push, given())
      assertLeavesNoTrace(push, given())
    })
  })
})

// A long run of the law matrix drew it: with keys that are nearly equal, gradients are what is left of terms of 3.
it('vjps are linear within what is left where terms cancel', () => {
  t.scope(() => {
    const attend = ([q, k, v]: readonly [t.Tensor, t.Tensor, t.Tensor]): t.Tensor =>
      t.scaledDotProductAttention(q, k, v)
    const keys = t.tensor([-2.9999976, -3], [1, 2, 1])
    const values = t.tensor([0, 0.673143744468689, 0, 0, 1, 0, -0.41103965044021606, 0, 0, 0], [1, 2, 5])
    assertVjpIsLinear(attend, [t.zeros([1, 8, 1]), keys, values])
  })
})
