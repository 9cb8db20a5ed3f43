import * as t from '@tapeflow/autodiff'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keys } from '../src/index.ts'
import { assertProperty } from './runs.ts'

// The mathematics of a first course on neural networks, each side of an equation computed in its own way.

/** Equal within rounding errors of the largest number. */
function expectEqual(left: t.Tensor, right: t.Tensor, tolerance = 2e-5): void {
  expect(left.shape).toEqual(right.shape)
  const expected = right.toFloat32Array()
  const most = expected.reduce((largest, x) => Math.max(largest, Math.abs(x)), 1)
  for (const [i, x] of left.toFloat32Array().entries())
    expect(Math.abs(x - expected[i]!)).toBeLessThanOrEqual(tolerance * most)
}

/** Runs `check` on a key, from which it draws its numbers, and on sizes. */
function forSizes(most: readonly number[], check: (key: t.Key, ...sizes: number[]) => void): void {
  const sizes = fc.tuple(...most.map((max) => fc.integer({ min: 1, max })))
  assertProperty(
    fc.property(keys(), sizes, (key, drawn) => t.scope(() => check(key, ...drawn))),
    40,
  )
}

const rowOf = (x: t.Tensor, i: number): t.Tensor => t.reshape(t.slice(x, i, i + 1), x.shape.slice(1))

describe('binary cross-entropy of one sigmoid unit', () => {
  const loss = (w: t.Tensor, x: t.Tensor, y: t.Tensor): t.Tensor =>
    t.mean(t.sigmoidCrossEntropy(t.matmul(x, w), y))
  const drawn = (key: t.Key, n: number, d: number): readonly [t.Tensor, t.Tensor, t.Tensor] => [
    t.normal(t.foldIn(key, 'w'), [d]),
    t.normal(t.foldIn(key, 'x'), [n, d]),
    t.bernoulli(t.foldIn(key, 'y'), [n]),
  ]

  it("has the Hessian mean of x x' p (1 - p)", () => {
    forSizes([8, 5], (key, n, d) => {
      const [w, x, y] = drawn(key, n, d)
      const p = t.sigmoid(t.matmul(x, w))
      const weights = t.reshape(t.mul(p, t.sub(1, p)), [n, 1])
      const expected = t.div(t.matmul(x, t.mul(weights, x), { transposeA: true }), n)
      expectEqual(t.hessian(loss)(w, x, y), expected)
    })
  })

  it('has a Hessian that is symmetric and positive semidefinite', () => {
    forSizes([8, 5], (key, n, d) => {
      const [w, x, y] = drawn(key, n, d)
      const h = t.hessian(loss)(w, x, y)
      expectEqual(h, t.transpose(h))
      for (let i = 0; i < 10; i++) {
        const v = t.normal(t.foldIn(key, i), [d])
        const form = t.sum(t.mul(v, t.matmul(h, v))).item()
        expect(form).toBeGreaterThanOrEqual(-1e-5 * t.sum(t.square(v)).item())
      }
    })
  })

  it('has the gradient mean of (p - y) x', () => {
    forSizes([8, 5], (key, n, d) => {
      const [w, x, y] = drawn(key, n, d)
      const error = t.sub(t.sigmoid(t.matmul(x, w)), y)
      expectEqual(t.grad(loss)(w, x, y), t.div(t.matmul(error, x), n))
    })
  })
})

describe('softmax', () => {
  it("has the Jacobian diag(p) - p p'", () => {
    forSizes([9], (key, n) => {
      const x = t.mul(t.normal(key, [n]), 3)
      const p = t.softmax(x)
      const outer = t.mul(t.reshape(p, [n, 1]), p)
      expectEqual(t.jacobian((z: t.Tensor) => t.softmax(z))(x), t.sub(t.diag(p), outer))
    })
  })

  it("with cross-entropy has the gradient p - y, and the Hessian diag(p) - p p'", () => {
    forSizes([9], (key, n) => {
      const x = t.normal(key, [n])
      const y = t.softmax(t.normal(t.foldIn(key, 'y'), [n]))
      const loss = (z: t.Tensor): t.Tensor => t.softmaxCrossEntropy(z, y)
      const p = t.softmax(x)
      expectEqual(t.grad(loss)(x), t.sub(p, y))
      expectEqual(t.hessian(loss)(x), t.sub(t.diag(p), t.mul(t.reshape(p, [n, 1]), p)))
    })
  })
})

interface Dense {
  readonly w: t.Tensor
  readonly b: t.Tensor
}

const activations = [t.tanh, t.sigmoid, t.softplus, t.sin]

/** A random multi-layer perceptron: parameters and what follows each layer, the last one linear. */
function perceptron(
  key: t.Key,
  sizes: readonly number[],
): { layers: Dense[]; after: ((x: t.Tensor) => t.Tensor)[] } {
  const layers = sizes.slice(1).map((out, i) => ({
    w: t.mul(t.normal(t.foldIn(key, 2 * i), [sizes[i]!, out]), 0.7),
    b: t.normal(t.foldIn(key, 2 * i + 1), [out]),
  }))
  const after = layers.map((_, i) =>
    i === layers.length - 1 ? (x: t.Tensor) => t.mul(x, 1) : activations[i % activations.length]!,
  )
  return { layers, after }
}

describe('a multi-layer perceptron', () => {
  const squares = (y: t.Tensor, target: t.Tensor): t.Tensor => t.mean(t.square(t.sub(y, target)))
  const forward = (
    layers: readonly Dense[],
    after: readonly ((x: t.Tensor) => t.Tensor)[],
    x: t.Tensor,
  ): t.Tensor => layers.reduce((h, { w, b }, i) => after[i]!(t.add(t.matmul(h, w), b)), x)

  it('has a batch gradient that is the mean of its per-sample gradients', () => {
    forSizes([6, 4, 5, 3], (key, n, a, b, c) => {
      const { layers, after } = perceptron(key, [a!, b!, c!])
      const loss = (p: readonly Dense[], x: t.Tensor, y: t.Tensor): t.Tensor =>
        squares(forward(p, after, x), y)
      const x = t.normal(t.foldIn(key, 'x'), [n, a!])
      const y = t.normal(t.foldIn(key, 'y'), [n, c!])
      const perSample = t.vmap(t.grad(loss), { inAxes: [null, 0, 0] })(layers, x, y)
      t.zipTensors([t.grad(loss)(layers, x, y), perSample], (whole, each) =>
        expectEqual(t.mean(each, { axis: 0 }), whole),
      )
      const first = t.grad(loss)(layers, rowOf(x, 0), rowOf(y, 0))
      t.zipTensors([first, perSample], (one, each) => expectEqual(rowOf(each, 0), one))
    })
  })

  it("is differentiated by the matrices I, Z, F, P: grad W = I'F, P below = F W', grad b = column sums of F", () => {
    forSizes([6, 4, 5, 3, 4], (key, n, ...sizes) => {
      const { layers, after } = perceptron(key, sizes)
      const x = t.normal(t.foldIn(key, 'x'), [n, sizes[0]!])
      const target = t.normal(t.foldIn(key, 'y'), [n, sizes.at(-1)!])

      // Forward: the inputs I of each layer and its pre-activations Z.
      const inputs: t.Tensor[] = []
      const sums: t.Tensor[] = []
      let h = x
      for (const [i, { w, b }] of layers.entries()) {
        inputs.push(h)
        sums.push(t.add(t.matmul(h, w), b))
        h = after[i]!(sums[i]!)
      }
      // Backward: F is P times the derivative of the activation at Z, element by element; P is handed down.
      let p = t.mul(t.sub(h, target), 2 / h.size)
      const expected: Dense[] = []
      for (let i = layers.length - 1; i >= 0; i--) {
        const slope = t.grad((z: t.Tensor) => t.sum(after[i]!(z)))(sums[i]!)
        const f = t.mul(p, slope)
        expected[i] = { w: t.matmul(inputs[i]!, f, { transposeA: true }), b: t.sum(f, { axis: 0 }) }
        p = t.matmul(f, layers[i]!.w, { transposeB: true })
      }

      const loss = (all: { layers: readonly Dense[]; x: t.Tensor }): t.Tensor =>
        squares(forward(all.layers, after, all.x), target)
      const found = t.grad(loss)({ layers, x })
      t.zipTensors([{ layers: expected, x: p }, found], (ours, theirs) => expectEqual(theirs, ours))
    })
  })

  it('has the Jacobian of each sample by itself in the blocks of that of the batch, and zeros elsewhere', () => {
    forSizes([4, 3, 4, 3], (key, n, a, b, c) => {
      const { layers, after } = perceptron(key, [a!, b!, c!])
      const f = (x: t.Tensor): t.Tensor => forward(layers, after, x)
      const x = t.normal(t.foldIn(key, 'x'), [n, a!])
      const whole = t.jacobian(f)(x)
      const each = t.vmap(t.jacobian(f))(x)
      const blocks = t.mul(t.reshape(each, [n, c!, 1, a!]), t.reshape(t.eye(n), [n, 1, n, 1]))
      expectEqual(whole, blocks)
    })
  })
})
