import * as t from '@tapeflow/autodiff'
import { describe, expect, test } from 'vitest'
import { batchNorm, dropout, linear, relu, sequential, sparseCrossEntropy } from '../src/index.ts'

describe('gradients of single samples', () => {
  const rows = 6
  const x = t.normal(t.key(1), [rows, 1, 5])
  const labels = t.tensor([[0], [2], [1], [1], [0], [2]])
  const of = (all: t.Tensor, i: number): t.Tensor => t.reshape(t.slice(all, i, i + 1), all.shape.slice(1))

  test('of a network with dropout are those of the loop, a mask for each sample', () => {
    t.scope(() => {
      const network = sequential(linear(5, 7), relu(), dropout(0.5), linear(7, 3))
      const { params, state } = network.init(t.key(2), [1, 5])
      const criterion = sparseCrossEntropy({ from: 'logits' })
      const loss = (p: typeof params, row: t.Tensor, label: t.Tensor, key: t.Key): t.Tensor =>
        criterion(network.apply(p, state, row, { training: true, key, path: '' }).y, label)
      const all = t.vmap(t.grad(loss), { inAxes: [null, 0, 0, 0] })
      const key = t.key(3)
      const found = all(params, x, labels, key)
      for (let i = 0; i < rows; i++) {
        const one = t.grad(loss)(params, of(x, i), of(labels, i), t.foldIn(key, i))
        t.zipTensors([one, found], (a, b) => {
          const expected = a.toFloat32Array()
          for (const [k, value] of of(b, i).toFloat32Array().entries())
            expect(value).toBeCloseTo(expected[k]!, 5)
        })
      }
      const compiled = t.compile(all)
      t.zipTensors([found, compiled(params, x, labels, key)], (a, b) =>
        expect(b.toFloat32Array()).toEqual(a.toFloat32Array()),
      )
      compiled.dispose()
    })
  })

  test('of a network with batch normalisation are those of the loop, each batch by itself', () => {
    t.scope(() => {
      const network = sequential(linear(5, 4), batchNorm(), linear(4, 3))
      const { params, state } = network.init(t.key(2), [4, 5])
      const batches = t.normal(t.key(4), [3, 4, 5])
      const loss = (p: typeof params, batch: t.Tensor): { value: t.Tensor; aux: typeof state } => {
        const { y, state: aux } = network.apply(p, state, batch, { training: true, path: '' })
        return { value: t.mean(t.square(y)), aux }
      }
      const found = t.vmap(t.valueAndGrad(loss), { inAxes: [null, 0] })(params, batches)
      for (let i = 0; i < 3; i++) {
        const one = t.valueAndGrad(loss)(params, of(batches, i))
        t.zipTensors([one, found], (a, b) => {
          const expected = a.toFloat32Array()
          for (const [k, value] of of(b, i).toFloat32Array().entries())
            expect(value).toBeCloseTo(expected[k]!, 4)
        })
      }
    })
  })
})
