import * as t from '@tapeflow/autodiff'
import { adam, descend, lookahead, momentum, type Optimizer, sgd } from '@tapeflow/optim'
import { describe, expect, test } from 'vitest'
import { refusal } from './refusal.ts'

describe('options out of range', () => {
  test.each([
    [
      () => sgd({ learningRate: -0.1 }),
      RangeError,
      'sgd: learningRate must be a finite number from 0 on, got -0.1',
    ],
    [
      () => sgd({ learningRate: '1' as never }),
      TypeError,
      'sgd: learningRate must be a number or a schedule, got a string',
    ],
    [() => sgd({} as never), TypeError, 'sgd: learningRate must be a number or a schedule, got undefined'],
    [
      () => descend({} as never),
      TypeError,
      'descend: learningRate must be a number or a schedule, got undefined',
    ],
    [() => descend({ lr: 0.1 } as never), RangeError, "descend: unknown option 'lr'; use learningRate"],
    [
      () => lookahead(adam(), 5 as never),
      TypeError,
      'lookahead: options must be an object, got 5; write { every: … }',
    ],
    [
      () => momentum({ learningRate: undefined } as never),
      TypeError,
      'momentum: learningRate must be a number or a schedule, got undefined',
    ],
    [
      () => sgd({ learningRate: 1, momentum: 1 }),
      RangeError,
      'sgd: momentum must be a finite number from 0 to below 1, got 1',
    ],
    [
      () => adam({ beta1: -0.5 }),
      RangeError,
      'adam: beta1 must be a finite number from 0 to below 1, got -0.5',
    ],
    [() => adam({ beta2: 1 }), RangeError, 'adam: beta2 must be a finite number from 0 to below 1, got 1'],
    [() => adam({ epsilon: -1 }), RangeError, 'adam: epsilon must be a finite number from 0 on, got -1'],
    [
      () => adam({ epsilonRoot: Number.NaN }),
      RangeError,
      'adam: epsilonRoot must be a finite number from 0 on, got NaN',
    ],
  ] as const)('%s', (call, kind, message) => {
    expect(call).toThrow(refusal(kind, message))
  })
})

describe('control out of range', () => {
  const hyper =
    (optimizer: Optimizer<string>, overrides: Record<string, number>, rateScale = 1, step = 0) =>
    () =>
      optimizer.hyper(step, { rateScale, overrides })
  const plain = sgd({ learningRate: 1 })
  test.each([
    [
      hyper(plain, { momentum: 0.5 }),
      "sgd: unknown hyperparameter in overrides, got 'momentum'; use learningRate",
    ],
    [
      hyper(adam(), { beta3: 0.5 }),
      "adam: unknown hyperparameter in overrides, got 'beta3'; use learningRate, beta1, beta2, epsilon, epsilonRoot",
    ],
    [hyper(adam(), { beta1: 1 }), 'adam: beta1 must be a finite number from 0 to below 1, got 1'],
    [hyper(plain, { learningRate: -1 }), 'sgd: learningRate must be a finite number from 0 on, got -1'],
    [hyper(plain, {}, -1), 'sgd: rateScale must be a finite number from 0 on, got -1'],
    [hyper(plain, {}, 1, -1), 'sgd: step must be an integer from 0 on, got -1'],
    [hyper(plain, {}, 1, 0.5), 'sgd: step must be an integer from 0 on, got 0.5'],
  ])('%s', (call, message) => {
    expect(call).toThrow(refusal(RangeError, message))
  })
})

describe('trees that differ', () => {
  const optimizer = adam()
  const right = (): { layers: { w: t.Tensor }[] } => ({ layers: [{ w: t.tensor([1, 2, 3]) }] })
  const update =
    (gradients: unknown, slots: unknown = optimizer.init(right()), params: unknown = right()) =>
    () =>
      t.scope(() => optimizer.update(gradients as never, slots as never, params as never, optimizer.hyper(0)))
  const remedy = 'pass trees of the structure of params'

  test.each([
    [update({ layers: [{ w: t.tensor([1]) }] }), `gradients must have shape [3] at 'layers.0.w', got [1]`],
    [update({ layers: [{ w: 5 }] }), `gradients must have a tensor at 'layers.0.w', got a number`],
    [update({ layers: [{ v: t.tensor([1]) }] }), `gradients has nothing at 'layers.0.w', got v`],
    [update({ layers: [] }), `gradients has nothing at 'layers.0', got no keys`],
    [update({ layers: [right().layers[0], null] }), `gradients has more than params, got 'layers.1'`],
    [update({ layers: { w: null } }), `gradients must have an array at 'layers', got an object`],
    [update({ layers: [t.tensor(1)] }), `gradients must have an object at 'layers.0', got a tensor`],
    [update(undefined), 'gradients must have an object at the root, got undefined'],
    [update(right(), {}), 'slots.m must have an object at the root, got undefined'],
    [
      update(right(), { m: right(), v: { layers: [{ w: t.tensor(1) }] } }),
      `slots.v must have shape [3] at 'layers.0.w', got []`,
    ],
    [
      update({ a: t.tensor(1) }, { m: { a: 1 }, v: { a: 1 } }, { a: 1 }),
      `gradients must have a number at 'a', got a tensor`,
    ],
  ])('%s: %s', (call, problem) => {
    expect(call).toThrow(refusal(RangeError, `adam: ${problem}; ${remedy}`))
  })

  test('something in the parameters that is no tree', () => {
    const odd = { a: new Map() }
    expect(update(odd, { m: odd, v: odd }, odd)).toThrow(
      refusal(
        TypeError,
        "adam: params must end in tensors, got a Map at 'a'; trees are plain objects and arrays",
      ),
    )
  })

  test('a refused update leaves nothing in memory', () => {
    t.scope(() => {
      const two = { a: t.tensor([1]), b: t.tensor([1]) }
      const slots = optimizer.init(two)
      const wrong = { a: t.tensor([1]), b: t.tensor([1, 2]) }
      const before = t.memory()
      expect(() => optimizer.update(wrong, slots, two, optimizer.hyper(0))).toThrow(RangeError)
      expect(t.memory().bytes).toBe(before.bytes)
    })
  })
})

describe('hyper that is none', () => {
  const optimizer = sgd({ learningRate: 1 })
  const update = (hyper: Record<string, number | t.Tensor>) => () =>
    t.scope(() => optimizer.update(t.tensor(1), {}, t.tensor(1), hyper))
  test('lacks a number', () => {
    expect(update({ rate: 1 })).toThrow(
      refusal(
        RangeError,
        'sgd: learningRate is missing in hyper, got rate; pass what hyper(step, control) returned',
      ),
    )
  })
  test('has a tensor with axes', () => {
    expect(update({ learningRate: t.tensor([1]) })).toThrow(
      refusal(RangeError, 'sgd: learningRate must be a scalar, got shape [1]; reshape it to []'),
    )
  })
})
