import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'
import { poisonFreed } from '../src/memory.ts'
import { currentScope } from '../src/scopes.ts'
import { errorOf } from './scan-loop.ts'

beforeAll(() => poisonFreed(true))
afterAll(() => poisonFreed(false))

let before = t.memory()
beforeEach(() => {
  before = t.memory()
})
// Whatever was refused: nothing is left, and no scope is open.
afterEach(() => {
  const { tensors, bytes } = t.memory()
  expect([tensors, bytes]).toEqual([before.tensors, before.bytes])
  expect(currentScope()).toBe(null)
})

type Body = (carry: t.Tensor, x: t.Tensor) => { carry: t.Tensor; y: unknown }

/** What JavaScript would pass: a body, a carry or options of any kind. */
const scan = t.scan as (body: unknown, carry: unknown, xs: unknown, options?: unknown) => unknown
const keep: Body = (carry) => ({ carry, y: null })

const gone = (): t.Tensor => {
  const x = t.ones([2])
  x.dispose()
  return x
}

interface Refused {
  readonly name: string
  readonly call: () => unknown
  readonly message: string
  readonly kind: string
}

const refused = (name: string, call: () => unknown, message: string, kind = 'RangeError'): Refused => ({
  name,
  call,
  message,
  kind,
})

/** Runs the body on a carry of shape [2] and three rows of shape [2]. */
const three = (body: unknown): unknown => scan(body, t.ones([2]), t.ones([3, 2]))

const rows: readonly Refused[] = [
  refused(
    'no function',
    () => three(null),
    'scan: a function is needed, got null; pass x => … instead of its result',
    'TypeError',
  ),
  refused(
    'an unknown option',
    () => scan(keep, null, null, { steps: 3 }),
    "scan: unknown option 'steps'; use length, reverse",
  ),
  refused(
    'a flag that is none',
    () => scan(keep, null, null, { length: 3, reverse: 1 }),
    'scan: reverse must be true or false, got a number; leave it out for false',
    'TypeError',
  ),
  refused(
    'no number of steps',
    () => scan(keep, t.ones([2]), null),
    'scan: xs has no tensor to tell the number of steps; pass { length }',
  ),
  refused(
    'a fraction of a step',
    () => scan(keep, t.ones([2]), null, { length: 1.5 }),
    'scan: length must be an integer from 0 on, got 1.5',
  ),
  refused(
    'fewer steps than none',
    () => scan(keep, t.ones([2]), null, { length: -1 }),
    'scan: length must be an integer from 0 on, got -1',
  ),
  refused(
    'rows of two numbers',
    () => scan(keep, null, [t.ones([3, 2]), t.ones([4])]),
    'scan: leading sizes differ, got [4] where 3 steps are made',
  ),
  refused(
    'another length than that of xs',
    () => scan(keep, null, t.ones([3, 2]), { length: 2 }),
    'scan: leading sizes differ, got [3,2] where 2 steps are made',
  ),
  refused(
    'a scalar in xs',
    () => scan(keep, null, { a: t.tensor(1) }),
    'scan: a scalar in xs has no leading axis; use it from a closure, or put it in the carry',
  ),
  refused(
    'a number in xs',
    () => scan(keep, null, { a: 1 }),
    "scan: xs must hold tensors, keys and null, got a number at 'a'; wrap it in t.tensor, or use it from a closure",
    'TypeError',
  ),
  refused(
    'a number in the carry',
    () => scan(keep, 1, t.ones([3])),
    'scan: the carry must hold tensors and null, got a number; wrap it in t.tensor, or use it from a closure',
    'TypeError',
  ),
  refused(
    'a key in the carry',
    () => scan(keep, [t.key(1)], t.ones([3])),
    "scan: the carry must hold tensors and null, got a Key at '0'; pass it in xs, or use it from a closure",
    'TypeError',
  ),
  refused(
    'a text in xs',
    () => scan(keep, null, { a: 'b' }),
    "tree: leaves must be tensors, keys, numbers or null, got a string at 'a'; trees are plain objects and arrays",
    'TypeError',
  ),
  refused(
    'nothing returned',
    () => three(() => undefined),
    'scan: the body must return { carry, y }, got undefined; y may be null',
    'TypeError',
  ),
  refused(
    'a tensor returned',
    () => three((c: t.Tensor) => t.add(c, 1)),
    'scan: the body must return { carry, y }, got a Tensor; y may be null',
    'TypeError',
  ),
  refused(
    'no y',
    () => three((carry: t.Tensor) => ({ carry })),
    'scan: the body must return { carry, y }, got an object; y may be null',
    'TypeError',
  ),
  refused(
    'a promise returned',
    () => three(async (carry: t.Tensor) => ({ carry, y: null })),
    'scan: the body must return { carry, y }, got a Promise; y may be null',
    'TypeError',
  ),
  refused(
    'a number for y',
    () => three((carry: t.Tensor) => ({ carry, y: { a: 1 } })),
    "scan: y must hold tensors and null, got a number at 'a'; wrap it in t.tensor, or use it from a closure",
    'TypeError',
  ),
  refused(
    'a number for the next carry',
    () => three(() => ({ carry: 1, y: null })),
    'scan: the carry must hold tensors and null, got a number; wrap it in t.tensor, or use it from a closure',
    'TypeError',
  ),
  refused(
    'a carry that changes its shape',
    () => three((c: t.Tensor) => ({ carry: t.sum(c), y: null })),
    'scan: the carry must keep its shapes, got [] for [2]; return a carry like the one that came in',
  ),
  refused(
    'a carry that changes its structure',
    () => three((c: t.Tensor) => ({ carry: { a: c, b: c }, y: null })),
    "scan: the carry must keep its structure, got tensors at 'a', 'b' for a tensor; return a carry like the one that came in",
  ),
  refused(
    'a carry under another name',
    () => scan((c: { a: t.Tensor }) => ({ carry: { b: c.a }, y: null }), { a: t.ones([2]) }, t.ones([3])),
    "scan: the carry must keep its structure, got tensors at 'b' for tensors at 'a'; return a carry like the one that came in",
  ),
  refused(
    'numbers of a draw out of range',
    () =>
      scan((_: null, k: t.Key) => ({ carry: null, y: t.uniform(k, [2], 2, 1) }), null, t.key(1), {
        length: 3,
      }),
    'uniform: low must be below high and both finite, got low 2 and high 1',
  ),
  refused(
    'a carry that is lost',
    () => three(() => ({ carry: null, y: null })),
    'scan: the carry must keep its structure, got no tensor for a tensor; return a carry like the one that came in',
  ),
  refused(
    'shapes that do not go together',
    () => three((c: t.Tensor, x: t.Tensor) => ({ carry: t.matmul(c, t.sum(x)), y: null })),
    'matmul: matrices or vectors are needed, got [2] and []; use mul for a scalar',
  ),
  refused(
    'a value read',
    () => three((c: t.Tensor, x: t.Tensor) => ({ carry: t.mul(c, t.sum(x).item()), y: null })),
    'item: the result of sum, of shape [], cannot be read while its function is recorded: there is only its shape; return it, and read the result',
    'RecordingError',
  ),
  refused(
    'a row read',
    () => three((c: t.Tensor, x: t.Tensor) => ({ carry: t.mul(c, x.toFloat32Array()[0]!), y: null })),
    'toFloat32Array: an argument, of shape [2], cannot be read while its function is recorded: there is only its shape; return it, and read the result',
    'RecordingError',
  ),
  refused(
    'what was disposed',
    () => scan(keep, gone(), t.ones([3])),
    'scan: a tensor of shape [2] was used after it was disposed; keep it by returning it from the scope that made it',
    'DisposedError',
  ),
  refused(
    'what was disposed, in the body',
    () => three((c: t.Tensor) => ({ carry: t.add(c, gone()), y: null })),
    'add: a tensor of shape [2] was used after it was disposed; keep it by returning it from the scope that made it',
    'DisposedError',
  ),
]

describe.each(rows)('$name', ({ call, message, kind }) => {
  const error = { name: kind, message, operation: message.split(':')[0] }

  it('is refused: alone, in gradients, and in what is recorded', () => {
    t.scope(() => {
      expect(errorOf(call)).toEqual(error)
      const used = (x: t.Tensor): t.Tensor => t.sum(t.mul(x, call() as t.Tensor))
      expect(errorOf(() => t.grad(used)(t.ones([2])))).toEqual(error)
      const compiled = t.compile(t.grad(used))
      expect(errorOf(() => compiled(t.ones([2])))).toEqual(error)
      compiled.dispose()
      expect(errorOf(() => three((c: t.Tensor) => ({ carry: t.mul(c, used(c)), y: null })))).toEqual(error)
    })
  })
})

it('an error of the body is passed on as it is', () => {
  const own = new Error('mine')
  const body: Body = (c) => {
    t.mul(c, t.ones([2]))
    throw own
  }
  t.scope(() => {
    expect(() => three(body)).toThrow(own)
    expect(() => t.grad((x: t.Tensor) => t.sum(t.scan(body, x, t.ones([3, 2])).carry))(t.ones([2]))).toThrow(
      own,
    )
  })
})

it('what was disposed is refused where only a key is traced, too', () => {
  t.scope(() => {
    const f = (k: t.Key): t.Tensor =>
      t.scan((c: t.Tensor, row: t.Key) => ({ carry: t.add(c, t.normal(row, [2])), y: null }), gone(), k, {
        length: 2,
      }).carry
    const words =
      'scan: a tensor of shape [2] was used after it was disposed; keep it by returning it from the scope that made it'
    expect(() => f(t.key(1))).toThrow(words)
    const compiled = t.compile(f)
    expect(() => compiled(t.key(1))).toThrow(words)
    compiled.dispose()
  })
})
