import * as t from '@tapeflow/autodiff'
import { checkGradient } from '@tapeflow/autodiff/testing'
import { batchNorm, dropout, linear, mse, relu, sequential, sparseCrossEntropy } from '@tapeflow/nn'
import { adam, sgd } from '@tapeflow/optim'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  adjointIsConsistent,
  compiledEqualsEager,
  deterministic,
  gradientIsCorrect,
  jvpAgreesWithVjp,
  keys,
  type Law,
  secondOrderIsCorrect,
  tensors,
  treesLike,
} from '../src/index.ts'

const hold = <S>(law: Law<S>): void => fc.assert(law, { numRuns: 40, seed: 1 })
const training = { training: true, path: '' } as const
const key = t.key(1)

describe('what people make is verified in three lines:', () => {
  it('a function', () => {
    const swish = (x: t.Tensor): t.Tensor => t.mul(x, t.sigmoid(x))
    hold(gradientIsCorrect(swish, tensors()))
    hold(secondOrderIsCorrect(swish, tensors({ shape: [3] })))
    hold(jvpAgreesWithVjp(swish, tensors({ shape: [3] })))
  })

  it('a layer with kinks, and its parameters', () => {
    const model = sequential(linear(3, 4), relu(), linear(4, 2))
    const { params, state } = t.scope(() => model.init(key, [3]))
    const inputs = fc.record({ x: tensors({ shape: [5, 3] }), params: treesLike(params) })
    type At = { x: t.Tensor; params: typeof params }
    const apply = (at: At): t.Tensor => model.apply(at.params, state, at.x, training).y
    hold(gradientIsCorrect(apply, inputs))
    hold(gradientIsCorrect(apply, inputs, { fast: true }))
    hold(compiledEqualsEager(apply, inputs))
  })

  it('dropout, whose key is an input', () => {
    const inputs = fc.record({ x: tensors({ shape: [4, 3] }), key: keys() })
    const dropped = (at: { x: t.Tensor; key: t.Key }): t.Tensor =>
      dropout(0.5).apply(null, null, at.x, { ...training, key: at.key }).y
    hold(gradientIsCorrect(dropped, inputs))
    hold(deterministic(dropped, inputs))
    // Or is fixed.
    hold(gradientIsCorrect((x) => dropped({ x, key }), tensors({ shape: [4, 3] })))
  })

  it('batch norm, with the state that it returns', () => {
    const layer = batchNorm({ momentum: 0.5 })
    const made = t.scope(() => layer.init(key, [2]))
    const inputs = fc.record({
      x: tensors({ shape: [4, 2], domain: { low: -3, high: 3, distinct: true } }),
      params: treesLike(made.params),
      state: treesLike(made.state, { within: () => ({ low: 0.1, high: 2 }) }),
    })
    type At = { x: t.Tensor } & Pick<typeof made, 'params' | 'state'>
    const apply = ({ x, params, state }: At): t.Tree => ({ ...layer.apply(params, state, x, training) })
    hold(gradientIsCorrect(apply, inputs))
    const inference = ({ x, params, state }: At): t.Tensor =>
      layer.apply(params, state, x, { training: false, path: '' }).y
    hold(secondOrderIsCorrect(inference, inputs, { limit: 3 }))
  })

  it('a loss of integer labels, which are not differentiated by', () => {
    const labels = tensors({ shape: [4], domain: { low: 0, high: 2, integer: true } })
    const batch = fc.record({ logits: tensors({ shape: [4, 3] }), labels })
    const loss = (at: { logits: t.Tensor; labels: t.Tensor }): t.Tensor =>
      sparseCrossEntropy()(at.logits, at.labels)
    hold(gradientIsCorrect(loss, batch, { fixed: ['labels'] }))
    hold(secondOrderIsCorrect(loss, batch, { fixed: ['labels'], limit: 4 }))
    hold(adjointIsConsistent(loss, batch, { fixed: ['labels'] }))
    const pair = fc.tuple(tensors({ shape: [3, 2] }), tensors({ shape: [3, 2] }))
    hold(gradientIsCorrect(([prediction, target]) => mse()(prediction, target), pair))
  })

  it('an update of an optimizer, by all that goes into it', () => {
    const vector = tensors({ shape: [3] })
    const positive = tensors({ shape: [3], domain: { low: 0.1, high: 2 } })
    const slots = fc.record({ m: fc.record({ w: vector }), v: fc.record({ w: positive }) })
    const inputs = fc.record({ params: fc.record({ w: vector }), gradients: fc.record({ w: vector }), slots })
    type At = {
      params: { w: t.Tensor }
      gradients: { w: t.Tensor }
      slots: { m: { w: t.Tensor }; v: { w: t.Tensor } }
    }
    const { update, hyper } = adam({ learningRate: 0.1 })
    const step = (at: At): t.Tree => ({ ...update(at.gradients, at.slots, at.params, hyper(3)) })
    hold(gradientIsCorrect(step, inputs))
    hold(compiledEqualsEager(step, inputs))
  })

  it('training, differentiated through its steps', () => {
    const trained = (w: t.Tensor): t.Tensor => {
      const [optimizer, loss] = [sgd({ learningRate: 0.1 }), (p: t.Tensor) => t.sum(t.square(t.sin(p)))]
      const first = { params: w, slots: optimizer.init(w) }
      const steps = [0, 1, 2]
      return steps.reduce(
        ({ params, slots }, step) =>
          optimizer.update(t.grad(loss)(params), slots, params, optimizer.hyper(step)),
        first,
      ).params
    }
    hold(gradientIsCorrect(trained, tensors({ shape: [2] })))
  })

  it('and without fast-check', () => {
    const x = t.tensor([[0.5, -1, 0]])
    expect(checkGradient((at: t.Tensor) => t.relu(at), x)).toMatchObject({ ok: true, kinks: 1 })
    expect(checkGradient((at: t.Tensor) => t.softmax(at), x, { fast: true }).message).toBe('')
    x.dispose()
  })
})
