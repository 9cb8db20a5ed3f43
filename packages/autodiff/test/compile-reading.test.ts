import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'
import { poisonFreed } from '../src/memory.ts'
import { currentScope } from '../src/scopes.ts'
import { bitsOf, leftBy, nothing, type Program, refusal, untyped } from './compile-law.ts'

beforeAll(() => poisonFreed(true))
afterAll(() => poisonFreed(false))

const only =
  'cannot be read while its function is recorded: there is only its shape; return it, and read the result'
const operators = 'tensor: operators do not work on tensors, got shape []; use t.add, t.mul, … or item()'
const words =
  'the words of a key cannot be read while its function is recorded: they are known when it runs; derive keys with split and foldIn, and draw with uniform, normal, truncatedNormal, bernoulli or permutation'

const x = t.tensor(3)
const key = t.key(5)

/** Refused while recording, in these words; nothing is left, no scope is open, and a good function is not hurt. */
function expectRefused(f: Program, args: readonly unknown[], error: string): void {
  const compiled = untyped(f)
  const left = leftBy(() => {
    for (let call = 0; call < 2; call++) expect(refusal(() => compiled(...args))).toBe(error)
    expect(refusal(() => compiled.plan(...args))).toBe(error)
  })
  expect(left).toEqual(nothing)
  expect(currentScope()).toBe(null)
}

/** The second one, once the first is done. */
const after = <T>(_done: unknown, result: T): T => result

/** Where a value stands that is read: what the error calls it, and a function that reads one there. */
type Reads = (read: (x: t.Tensor) => unknown) => (x: t.Tensor) => t.Tensor
const places: readonly (readonly [string, string, Reads])[] = [
  ['an argument', 'an argument', (read) => (a) => after(read(a), a)],
  ['a computed value', 'the result of mul', (read) => (a) => after(read(t.mul(a, 2)), a)],
  ['a view', 'the result of reshape', (read) => (a) => after(read(t.reshape(t.reshape(a, [1]), [])), a)],
  [
    'a value in a scope',
    'the result of exp',
    (read) => (a) => t.scope(() => after(read(t.exp(a)), t.neg(a))),
  ],
  [
    'a carry of a fold',
    'the result of neg',
    (read) => (a) => t.fold(t.neg(a), [1, 2], (carry) => after(read(carry), t.neg(carry))),
  ],
]
const reads: readonly (readonly [string, (x: t.Tensor) => unknown, string | null])[] = [
  ['item', (y) => y.item(), 'item'],
  ['toArray', (y) => y.toArray(), 'toFloat32Array'],
  ['toFloat32Array', (y) => y.toFloat32Array(), 'toFloat32Array'],
  ['String', (y) => String(y), 'toFloat32Array'],
  ['a template', (y) => `${y}`, 'toFloat32Array'],
  ['unary plus', (y) => +y, 'item'],
  ['a comparison', (y) => (y as unknown as number) < 1, 'item'],
  ['Math.max', (y) => Math.max(y as unknown as number, 1), 'item'],
  ['toSnapshot', (y) => t.toSnapshot({ y }), 'toFloat32Array'],
  ['binary plus', (y) => (y as unknown as number) + 1, null],
]

describe('a value is not read while it is recorded', () => {
  it.each(places)('%s', (_, what, reading) => {
    for (const [, read, operation] of reads) {
      const error =
        operation === null
          ? `TypeError: ${operators}`
          : `RecordingError: ${operation}: ${what}, of shape [], ${only}`
      expectRefused(reading(read), [x], error)
    }
  })

  it('and neither is a number', () => {
    for (const [name, read, operation] of reads) {
      // A snapshot leaves numbers as they are.
      if (name === 'toSnapshot') continue
      const error =
        operation === null
          ? `TypeError: ${operators}`
          : `RecordingError: ${operation}: an argument, of shape [], ${only}`
      expectRefused((n: t.Tensor) => after(read(n), n), [3], error)
    }
  })

  it('nor a gradient', () => {
    const compiled = t.compile((y: t.Tensor) =>
      t
        .grad((z: t.Tensor) => t.mul(z, z))(y)
        .item(),
    )
    const left = leftBy(() =>
      expect(refusal(() => compiled(x))).toMatch(/^RecordingError: item: the result of /),
    )
    expect(left).toEqual(nothing)
  })

  it('nor a large tensor as text', () => {
    const large = t.zeros([70])
    const error = `RecordingError: toString: an argument, of shape [70], ${only}`
    expectRefused((y: t.Tensor) => [String(y)], [large], error)
    large.dispose()
  })

  it('nor any of them by JSON, which would have to go round in circles', () => {
    for (const read of [(y: t.Tensor) => [y], (y: t.Tensor) => ({ z: t.mul(y, 2) })]) {
      const compiled = t.compile((y: t.Tensor) => JSON.stringify(read(y)))
      const left = leftBy(() => expect(refusal(() => compiled(x))).toMatch(/^TypeError: .*circular/))
      expect(left).toEqual(nothing)
    }
  })

  const keyReads: readonly (readonly [string, (k: t.Key) => unknown])[] = [
    ['high', (k) => k.high],
    ['low', (k) => k.low],
    ['toString', (k) => String(k)],
    ['toString', (k) => `${k}`],
    ['high', (k) => JSON.stringify(k)],
    ['high', (k) => ({ ...k })],
    ['randomBits', (k) => t.randomBits(k, 2)],
    ['uniformValues', (k) => t.uniformValues(k, 2)],
    ['normalValues', (k) => t.normalValues(k, 2)],
    ['bernoulliValues', (k) => t.bernoulliValues(k, 2, 0.5)],
    ['permutationValues', (k) => t.permutationValues(k, 2)],
  ]
  it.each(keyReads)('nor the words of a key: %s', (operation, read) => {
    const error = `RecordingError: ${operation}: ${words}`
    expectRefused((k: t.Key) => after(read(k), k), [key], error)
    expectRefused((k: t.Key) => after(read(t.split(k, 3)[2]!), k), [key], error)
    expectRefused((k: t.Key) => after(read(t.foldIn(t.foldIn(k, 'layer'), 7)), k), [key], error)
  })

  it('nor a number made into a key', () => {
    const error =
      'RecordingError: key: a seed that is passed as an argument is not known while its function is recorded; pass key(seed) as the argument'
    expectRefused((seed: number) => t.uniform(t.key(seed), [2]), [3], error)
  })

  it('but where the same function is called on values that are there, it is', () => {
    const f = (y: t.Tensor, k: t.Key) => t.add(y, y.item() + k.low)
    const y = t.tensor(4)
    // No argument stands for anything: the closure holds the values.
    const compiled = t.compile(() => f(y, t.key(2)))
    expect(compiled().toArray()).toBe(10)
    compiled.dispose()
  })
})

describe('what has left its recording', () => {
  const gone = (shape: string) =>
    `a value of shape ${shape} is used after the recording of its function: it was only a shape; return it, and use the result`
  const ended =
    'the key belongs to a recording that has ended: it has no words; return it from the function, and use what comes out'
  let tensorLeft = t.tensor(0)
  let numberLeft = 0
  let keyLeft = t.key(0)
  t.compile((y: t.Tensor, n: number, k: t.Key) => {
    tensorLeft = t.mul(y, 2)
    numberLeft = n
    keyLeft = t.split(k)[1]!
    return null
  })(x, 2, key)

  const uses: readonly (readonly [string, () => unknown, string])[] = [
    ['an operation', () => t.add(tensorLeft, 1), `add: ${gone('[]')}`],
    ['a view', () => t.reshape(tensorLeft, [1]), `reshape: ${gone('[]')}`],
    ['a read', () => tensorLeft.item(), `item: ${gone('[]')}`],
    ['a transform', () => t.grad((y: t.Tensor) => y)(tensorLeft), `grad: ${gone('[]')}`],
    ['an argument', () => t.compile((y: t.Tensor) => y)(tensorLeft), `compile: ${gone('[]')}`],
    ['an argument below', () => t.compile((p: object) => p)({ a: [tensorLeft] }), `compile: ${gone('[]')}`],
    ['a closure', () => t.compile((y: t.Tensor) => t.add(y, tensorLeft))(x), `add: ${gone('[]')}`],
    ['a result', () => t.compile(() => tensorLeft)(), `compile: ${gone('[]')}`],
    ['a number in an operation', () => t.add(x, numberLeft), `add: ${gone('[]')}`],
    ['a number as an argument', () => t.compile((n: number) => n)(numberLeft), `compile: ${gone('[]')}`],
    ['a number as a result', () => t.compile(() => numberLeft)(), `compile: ${gone('[]')}`],
    ['an index', () => t.foldIn(key, numberLeft), `foldIn: ${gone('[]')}`],
    ['a probability', () => t.bernoulli(key, [2], numberLeft), `bernoulli: ${gone('[]')}`],
    ['a draw', () => t.uniform(keyLeft, [2]), `uniform: ${ended}`],
    ['a split', () => t.split(keyLeft), `split: ${ended}`],
    ['a key as an argument', () => t.compile((k: t.Key) => t.uniform(k, [2]))(keyLeft), `high: ${ended}`],
    ['a key as a result', () => t.compile((k: t.Key) => [k, keyLeft])(key), `compile: ${ended}`],
    [
      'a key in a closure',
      () => t.compile((y: t.Tensor) => t.add(y, t.uniform(keyLeft, [])))(x),
      `uniform: ${ended}`,
    ],
  ]
  it.each(uses)('cannot be used: %s', (_, use, error) => {
    const left = leftBy(() => expect(refusal(use)).toBe(`RecordingError: ${error}`))
    expect(left).toEqual(nothing)
  })

  it('can be disposed, and printed', () => {
    const left = leftBy(() => tensorLeft.dispose())
    expect(left).toEqual(nothing)
    expect(String(tensorLeft)).toBe('Tensor [] (disposed)')
  })
})

describe('a function that is not to be compiled', () => {
  const made = () => t.mul(t.ones([3]), 2)
  const async =
    'TypeError: compile: the function is asynchronous; await outside, and pass a synchronous function'
  const generator = 'TypeError: compile: the function is a generator; loop outside, and pass a plain function'
  const noTree = (kind: string, place: string) =>
    `TypeError: compile: what the function returns must be a tree of tensors, keys, numbers and null, got ${kind}${place}; trees are plain objects and arrays`
  class Layer {
    readonly weight = x
  }
  const rows: readonly (readonly [string, Program, string])[] = [
    ['asynchronous', async (y: t.Tensor) => t.add(y, made()), async],
    [
      'a generator',
      function* (y: t.Tensor) {
        yield t.add(y, made())
      },
      generator,
    ],
    [
      'throws',
      (y: t.Tensor) => {
        t.add(y, made())
        throw new Error('the reason')
      },
      'Error: the reason',
    ],
    [
      'has shapes that do not fit',
      (y: t.Tensor) => t.matmul(y, made()),
      'RangeError: matmul: matrices or vectors are needed, got [] and [3]; use mul for a scalar',
    ],
    [
      'leaves a scope open',
      (y: t.Tensor) => after(t.scope(), t.add(y, made())),
      'RangeError: scope: closed while a scope opened later is still open; close scopes in the reverse order of opening',
    ],
    ['returns a map', (y: t.Tensor) => new Map([[1, t.add(y, made())]]), noTree('a Map', '')],
    [
      'returns a function below',
      (y: t.Tensor) => ({ a: [t.add(y, made()), () => y] }),
      noTree('a function', " at 'a.1'"),
    ],
    ['returns an instance', () => [new Layer()], noTree('a Layer', " at '0'")],
    ['returns a bigint', () => ({ n: 1n }), noTree('a bigint', " at 'n'")],
    [
      'returns a typed array',
      (y: t.Tensor) => [made(), y, new Float32Array(2)],
      noTree('a Float32Array', " at '2'"),
    ],
    [
      'returns a disposed tensor',
      (y: t.Tensor) => {
        const z = made()
        z.dispose()
        return [y, z]
      },
      'DisposedError: compile: a tensor of shape [3] was used after it was disposed; keep it by returning it from the scope that made it',
    ],
  ]
  it.each(rows)('%s', (_, f, error) => {
    expectRefused(f, [x], error)
  })

  it('asynchronous on traced values too', () => {
    const f = t.compile(async (y: t.Tensor) => y) as unknown as (y: t.Tensor) => t.Tensor
    expect(refusal(() => t.grad(f)(x))).toBe(
      'TypeError: grad: the function is asynchronous; await outside, and pass a synchronous function',
    )
  })

  it('until it is good: the next call records it', () => {
    let isGood = false
    const compiled = t.compile((y: t.Tensor) => {
      const z = t.add(y, t.tensor(1))
      if (!isGood) throw new Error('not yet')
      return z
    })
    const left = leftBy(() => {
      expect(refusal(() => compiled(x))).toBe('Error: not yet')
      isGood = true
      t.scope(() => expect(bitsOf(compiled(x))).toEqual(bitsOf(t.tensor(4))))
      compiled.dispose()
    })
    expect(left).toEqual(nothing)
  })
})
