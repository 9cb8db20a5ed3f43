import { describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'
import { bitsOf, leftBy, nothing } from './compile-law.ts'

type Unary = (x: t.Tensor) => t.Tensor

/** The error that `body` throws, which must be one of these. */
function anomaly(body: () => unknown): t.AnomalyError {
  try {
    body()
  } catch (error) {
    if (error instanceof t.AnomalyError) return error
    throw error
  }
  throw new Error('no anomaly was found')
}

/** The line that it is called in, in the words of `place`. */
function here(): number {
  const lines = (new Error().stack ?? '').split('\n').filter((line) => line.includes('debug.test.ts'))
  return Number(/:(\d+):\d+\)?$/.exec(lines[1]!)![1])
}

const lineOf = ({ place }: t.AnomalyError): number => {
  expect(place).toMatch(/debug\.test\.ts:\d+:\d+$/)
  return Number(/:(\d+):\d+$/.exec(place!)![1])
}

const large = 3e38

/** What first goes wrong: the operation, in which pass, at which numbers. */
const forward: readonly (readonly [name: string, f: Unary, at: readonly number[], value: number])[] = [
  ['log', t.log, [1, 0, 2], Number.NEGATIVE_INFINITY],
  ['log', t.log, [1, -1, 2], Number.NaN],
  ['log1p', t.log1p, [1, -1, 2], Number.NEGATIVE_INFINITY],
  ['sqrt', t.sqrt, [1, -4, 2], Number.NaN],
  ['rsqrt', t.rsqrt, [1, 0, 2], Number.POSITIVE_INFINITY],
  ['reciprocal', t.reciprocal, [1, 0, 2], Number.POSITIVE_INFINITY],
  ['div', (x) => t.div(1, x), [1, 0, 2], Number.POSITIVE_INFINITY],
  ['div', (x) => t.div(x, x), [1, 0, 2], Number.NaN],
  ['exp', t.exp, [1, 89, 2], Number.POSITIVE_INFINITY],
  ['square', t.square, [1, large, 2], Number.POSITIVE_INFINITY],
  ['mul', (x) => t.mul(x, x), [1, large, 2], Number.POSITIVE_INFINITY],
  ['add', (x) => t.add(x, x), [1, -large, 2], Number.NEGATIVE_INFINITY],
  ['pow', (x) => t.pow(x, 0.5), [1, -2, 2], Number.NaN],
]

const backward: readonly (readonly [through: string, f: Unary, at: readonly number[]])[] = [
  ['sqrt', t.sqrt, [1, 0, 4]],
  ['pow', (x) => t.pow(x, 0.5), [1, 0, 4]],
]

/** Ways to run a function: none of them changes which operation is named. */
const ways: readonly (readonly [name: string, run: (f: Unary) => Unary])[] = [
  ['eagerly', (f) => f],
  ['compiled', (f) => t.compile(f)],
  ['in a checkpoint', (f) => t.checkpoint(f)],
  ['in a scan', (f) => (x) => scanned(f, x)],
  ['on a tape', (f) => (x) => t.valueAndGrad((y: t.Tensor) => t.sum(f(y)))(x).gradients],
  ['compiled, on a tape', (f) => t.compile(t.grad((y: t.Tensor) => t.sum(f(y))))],
]

// Two steps: what goes wrong does so in the second one.
const scanned = (f: Unary, x: t.Tensor): t.Tensor => {
  const rows = t.stack([t.ones(x.shape), x])
  return t.scan(
    (carry: t.Tensor, row: t.Tensor) => ({ carry: t.add(carry, f(row)), y: null }),
    f(t.ones(x.shape)),
    rows,
  ).carry
}

describe('what goes wrong', () => {
  for (const [way, run] of ways) {
    it(`is named by the operation that made it, ${way}`, () => {
      for (const [name, f, at, value] of forward) {
        const x = t.tensor([...at])
        const found = anomaly(() => t.debug(run((y) => t.namedScope('layers.7', () => f(y))))(x))
        expect([found.operation, found.value, found.index, found.pass], `${name} of ${at}`).toEqual([
          name,
          value,
          [1],
          'forward',
        ])
        expect(found.path).toBe('layers.7')
        expect(found.message.startsWith(`${name}: gives ${value} at [1] for finite inputs in layers.7`)).toBe(
          true,
        )
        lineOf(found)
      }
    })
  }

  it('is named by the operation on whose way back it is made, and the line where that was called', () => {
    for (const [way, run] of ways.slice(0, 4)) {
      for (const [through, f, at] of backward) {
        const x = t.tensor([...at])
        const sum = (y: t.Tensor): t.Tensor => t.sum(run((z) => t.namedScope('layers.7', () => f(z)))(y))
        for (const slope of [t.grad(sum), t.compile(t.grad(sum)), t.grad(t.compile(sum))]) {
          const found = anomaly(() => t.debug(slope)(x))
          const what = `${through}, ${way}`
          expect([found.pass, found.path], what).toEqual(['backward', 'layers.7'])
          expect(found.backwardOf, what).toBe(through)
          expect(found.message, what).toContain(`on the way back through ${found.backwardOf}`)
        }
      }
    }
    const line = here() + 1
    const sum = (x: t.Tensor): t.Tensor => t.sum(t.sqrt(x))
    const found = anomaly(() => t.debug(t.grad(sum))(t.tensor([0])))
    expect(lineOf(found)).toBe(line)
  })

  it('is told in words', () => {
    const f = (x: t.Tensor, y: t.Tensor): t.Tensor => t.namedScope('layers.1', () => t.div(x, y))
    const [x, y] = [t.tensor([[1, 2, 3]]), t.tensor([[0.5], [0]])]
    const found = anomaly(() => t.debug(f)(x, y))
    expect(found.message).toBe(
      [
        'div: gives Infinity at [1,0], the first of 3 values that are not finite, for finite inputs in layers.1; look at what it is given',
        '  result: [2,3] from 2 to 6, 3 not finite',
        '  input 0: [1,3] from 1 to 3',
        '  input 1: [2,1] from 0 to 0.5',
        `  div was called at ${found.place}`,
      ].join('\n'),
    )
    expect(found).toMatchObject({
      name: 'AnomalyError',
      operation: 'div',
      index: [1, 0],
      inputs: [
        { shape: [1, 3], min: 1, max: 3, nonFinite: 0 },
        { shape: [2, 1], min: 0, max: 0.5, nonFinite: 0 },
      ],
      argument: null,
    })
  })

  it('is the first, not what comes of it', () => {
    const f = (x: t.Tensor): t.Tensor => t.mul(t.tanh(t.add(t.log(x), 1)), 0)
    expect(anomaly(() => t.debug(f)(t.tensor([-1]))).operation).toBe('log')
  })

  it('may be made of constants alone', () => {
    expect(anomaly(() => t.debug(() => t.log(t.zeros([2])))()).operation).toBe('log')
    const compiled = t.compile((x: t.Tensor) => t.add(x, t.log(t.zeros([2]))))
    expect(anomaly(() => t.debug(compiled)(t.tensor([1, 2]))).operation).toBe('log')
    const drawn = (key: t.Key): t.Tensor => t.normal(key, [64], 0, large)
    expect(anomaly(() => t.debug(drawn)(t.key(1))).operation).toBe('normal')
  })

  it('goes by the name of a fused operation as it was called', () => {
    const [x, w] = [t.full([2, 2], large), t.full([2, 2], 2)]
    expect(anomaly(() => t.debug(t.linear)(x, w)).operation).toBe('linear')
    expect(anomaly(() => t.debug(t.compile(t.linear))(x, w)).operation).toBe('linear')
    const attend = (q: t.Tensor): t.Tensor => t.scaledDotProductAttention(q, q, q)
    expect(anomaly(() => t.debug(attend)(t.full([1, 2, 2], large))).operation).toBe(
      'scaledDotProductAttention',
    )
  })

  it('that no operation made is told from what one did', () => {
    const bad = t.tensor([1, Number.NaN])
    const f = (x: t.Tensor): t.Tensor => t.mul(x, bad)
    expect(anomaly(() => t.debug(f)(t.tensor([1, 2]))).message).toContain(
      'mul: gives NaN at [1] as input 1 holds NaN already, which no operation made;',
    )
    expect(anomaly(() => t.debug((x: t.Tensor) => t.mul(x, Number.NaN))(t.tensor(1))).operation).toBe('mul')
  })

  it('in a loop comes with the step and the row', () => {
    const body = (carry: t.Tensor, x: t.Tensor): { carry: t.Tensor; y: t.Tensor } => ({
      carry: t.add(carry, 1),
      y: t.log(t.sub(x, carry)),
    })
    const loop = (xs: t.Tensor, reverse: boolean): unknown => t.scan(body, t.tensor(0), xs, { reverse })
    const there = anomaly(() => t.debug(loop)(t.tensor([5, 5, 2, 5, 5]), false))
    expect(there.steps).toEqual([{ operation: 'scan', step: 2, row: 2 }])
    expect(there.message).toContain('log: gives -Infinity for finite inputs in step 2 of scan;')
    const back = anomaly(() => t.debug(loop)(t.tensor([5, 3, 5, 5, 5]), true))
    expect(back.steps).toEqual([{ operation: 'scan', step: 3, row: 1 }])
    expect(back.message).toContain('in step 3 (row 1) of scan;')
    const within = (carry: t.Tensor, xs: t.Tensor): { carry: t.Tensor; y: t.Tensor } => ({
      carry,
      y: t.scan(body, carry, xs).ys,
    })
    const rows = t.tensor([
      [5, 5],
      [5, 1],
    ])
    const inner = anomaly(() => t.debug((xs: t.Tensor) => t.scan(within, t.tensor(0), xs))(rows))
    expect(inner.steps.map(({ step }) => step)).toEqual([1, 1])
  })

  it('on the way back through a loop comes with the row', () => {
    const step = (c: t.Tensor, x: t.Tensor): { carry: t.Tensor; y: null } => ({
      carry: t.add(c, t.sqrt(x)),
      y: null,
    })
    for (const reverse of [false, true]) {
      const f = (xs: t.Tensor): t.Tensor => t.sum(t.scan(step, t.tensor(0), xs, { reverse }).carry)
      for (const row of [2, 3, 4]) {
        const xs = Array.from({ length: 7 }, (_, i) => (i === row ? 0 : 1))
        const found = anomaly(() => t.debug(t.grad(f))(t.tensor(xs)))
        expect([found.operation, found.backwardOf]).toEqual(['div', 'sqrt'])
        expect(found.steps.map((step) => step.row)).toEqual([row])
      }
    }
  })

  it('in a layer that draws is found with the same draws', () => {
    const body = (carry: t.Tensor, key: t.Key): { carry: t.Tensor; y: null } => ({
      carry: t.add(carry, t.log(t.relu(t.sub(t.uniform(key, []), 0.3)))),
      y: null,
    })
    const key = t.key(4)
    const draws = Array.from({ length: 40 }, (_, i) => t.uniform(t.foldIn(key, i), []).item())
    const found = anomaly(() => t.debug((k: t.Key) => t.scan(body, t.tensor(0), k, { length: 40 }))(key))
    expect(found.steps[0]!.row).toBe(draws.findIndex((value) => value <= 0.3))
    expect(found.operation).toBe('log')
  })
})

describe('arguments', () => {
  it('that are not finite are told by their place', () => {
    const f = (p: { layers: { w: t.Tensor }[] }, _rate: number): t.Tensor => t.exp(p.layers[0]!.w)
    const at = (w: readonly number[], rate: number): t.AnomalyError =>
      anomaly(() => t.debug(f)({ layers: [{ w: t.tensor([...w]) }] }, rate))
    expect(at([1, Number.NaN, 3], 1).message).toBe(
      "debug: argument 0 at 'layers.0.w' holds NaN at [1]; look at where it comes from\n  argument: [3] from 1 to 3, 1 not finite",
    )
    expect(at([1, 2], Number.POSITIVE_INFINITY).argument).toEqual({ index: 1, path: '' })
    const data = { shape: [2], values: Float32Array.of(1, Number.NaN) }
    const fed = t.debug(t.compile((x: t.Tensor) => t.neg(x)) as (x: unknown) => t.Tensor)
    expect(anomaly(() => fed(data)).argument).toEqual({ index: 0, path: 'values' })
  })
})

describe('what is no anomaly', () => {
  it('is an infinity that an operation is given, such as a mask', () => {
    const f = (x: t.Tensor): t.Tensor => t.softmax(t.where(t.greater(x, 0), x, Number.NEGATIVE_INFINITY))
    const x = t.tensor([1, -1, 1])
    expect(t.debug(f)(x).toArray()).toEqual([0.5, 0, 0.5])
    expect(anomaly(() => t.debug(f)(t.tensor([-1, -2]))).message).toContain('softmax: gives NaN at [0]')
  })

  it('is an infinity, where that is said', () => {
    const f = (x: t.Tensor): t.Tensor => t.log(x)
    expect(
      t
        .debug(f, { infinities: false })(t.tensor([0, 1]))
        .toArray(),
    ).toEqual([Number.NEGATIVE_INFINITY, 0])
    const masked = t.debug((x: t.Tensor) => t.exp(x), { infinities: false })
    expect(masked(t.tensor([Number.NEGATIVE_INFINITY])).toArray()).toEqual([0])
    const difference = t.debug((x: t.Tensor) => t.sub(t.log(x), t.log(x)), { infinities: false })
    expect(anomaly(() => difference(t.tensor([0]))).message).toContain(
      'sub: gives NaN at [0] for inputs without NaN',
    )
    expect(() => t.debug(f, { infinity: false } as t.DebugOptions)).toThrow(
      "debug: unknown option 'infinity'; use infinities",
    )
  })
})

describe('a function that is fine', () => {
  const loss = (p: { w: t.Tensor; b: t.Tensor }, x: t.Tensor, key: t.Key): t.Tensor => {
    const hidden = t.checkpoint((h: t.Tensor) => t.tanh(t.linear(h, p.w, p.b)))(x)
    const { carry } = t.scan(
      (c: t.Tensor, row: t.Tensor) => ({ carry: t.add(t.mul(c, 0.5), row), y: null }),
      t.zeros([3]),
      hidden,
    )
    return t.mean(t.mul(carry, t.bernoulli(key, [3], 0.5)))
  }
  const args = (): [{ w: t.Tensor; b: t.Tensor }, t.Tensor, t.Key] => [
    { w: t.normal(t.key(1), [3, 3]), b: t.normal(t.key(2), [3]) },
    t.normal(t.key(3), [5, 3]),
    t.key(4),
  ]

  it('gives the same bits', () => {
    for (const f of [loss, t.grad(loss), t.valueAndGrad(loss), t.compile(t.grad(loss))]) {
      expect(bitsOf(t.debug(f as typeof loss)(...args()))).toEqual(bitsOf((f as typeof loss)(...args())))
    }
  })

  it('and one that throws leave nothing behind, and nobody watching', () => {
    expect(leftBy(() => t.scope(() => void t.debug(t.grad(loss))(...args())))).toEqual(nothing)
    const x = t.tensor([1, 0])
    const f = t.debug(t.grad((y: t.Tensor) => t.sum(scanned(t.sqrt, y))))
    expect(leftBy(() => anomaly(() => f(x)))).toEqual(nothing)
    expect(t.log(x).toArray()).toEqual([0, Number.NEGATIVE_INFINITY])
  })

  it('is run where it can be', () => {
    const f = t.compile(t.debug(t.exp))
    expect(() => f(t.tensor(1))).toThrow(
      'debug: the function is being recorded: there are only shapes to look at; put debug outside: t.debug(t.compile(f))',
    )
    expect(() => t.debug(async () => 1)()).toThrow('debug: the function is asynchronous')
    expect(() => t.debug(1 as unknown as Unary)).toThrow('debug: a function is needed, got a number')
    const slope = t.grad((x: t.Tensor) => t.sum(t.debug(t.square)(x)))
    expect(slope(t.tensor([1, 2])).toArray()).toEqual([2, 4])
  })

  it('stops at the line of the caller, past layers of this library', () => {
    const x = t.tensor([-1])
    const line = here() + 1
    const found = anomaly(() => t.debug(t.grad((y: t.Tensor) => t.sum(t.scope(() => t.sqrt(y)))))(x))
    expect(lineOf(found)).toBe(line)
    const deepLine = here() + 1
    const f = (y: t.Tensor): t.Tensor => t.sum(t.log(y))
    const order = (n: number): Unary => (n === 0 ? f : t.grad((y: t.Tensor) => t.sum(order(n - 1)(y))))
    expect(lineOf(anomaly(() => t.debug(order(4))(x)))).toBe(deepLine)
  })
})
