import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { apply } from '../src/apply.ts'
import * as t from '../src/index.ts'
import { allocate, poisonFreed, release } from '../src/memory.ts'
import { defineOperation } from '../src/operation.ts'
import { currentScope } from '../src/scopes.ts'

beforeAll(() => poisonFreed(true))
afterAll(() => poisonFreed(false))

/** Tensors and bytes that `body` leaves behind. */
function leftBy(body: () => unknown): { tensors: number; bytes: number } {
  const before = t.memory()
  body()
  const after = t.memory()
  return { tensors: after.tensors - before.tensors, bytes: after.bytes - before.bytes }
}

const nothing = { tensors: 0, bytes: 0 }

describe('what a tape needs', () => {
  it('outlives an inner tape that it passed through on its way', () => {
    // Cause: to hand x to a tape around took what is below x, here b, back from a tape further out, which needs it.
    const f = (a: t.Tensor): t.Tensor =>
      t.grad((b: t.Tensor) => {
        const product = t.mul(b, a)
        const inner = t.grad((x: t.Tensor) => t.mul(x, x))(b)
        return t.mul(product, inner)
      })(t.tensor(3))
    // d/db [a b 2 b] = 4 a b
    const a = t.tensor(2)
    expect(t.scope(() => f(a).item())).toBe(24)
    expect(t.scope(() => t.grad(f)(a).item())).toBe(12)
  })

  it('agrees with the closed form through three levels that close over each other', () => {
    const f = (a: t.Tensor): t.Tensor => {
      const g = (x: t.Tensor): t.Tensor => {
        const inner = t.grad((y: t.Tensor) => t.mul(t.mul(y, t.mul(a, x)), t.add(x, a)))(x)
        return t.mul(inner, t.grad((z: t.Tensor) => t.mul(t.mul(z, x), a))(a))
      }
      return t.grad(g)(a)
    }
    // inner = a x (x + a), the other is x a: g = a^2 x^2 (x + a), g' = a^2 (3 x^2 + 2 a x), which is 5 a^4 at x = a.
    const a = t.tensor(2)
    expect(t.scope(() => f(a).item())).toBe(80)
    expect(t.scope(() => t.grad(f)(a).item())).toBe(160)
    expect(t.scope(() => t.grad(t.grad(f))(a).item())).toBe(240)
  })

  it('stays until the gradient is computed when it is disposed before', () => {
    // Cause: dispose freed at once, and the backward pass met a disposed tensor.
    const c = t.tensor([2, 3])
    const x = t.tensor([1, 5])
    const left = leftBy(() => {
      const gradient = t.grad((y: t.Tensor) => {
        const constant = t.tensor([10, 100])
        const intermediate = t.mul(t.mul(y, c), constant)
        const value = t.sum(t.square(intermediate))
        for (const z of [c, constant, intermediate, x, y]) z.dispose()
        return value
      })(x)
      expect(gradient.toArray()).toEqual([800, 900000])
      gradient.dispose()
    })
    expect(left).toEqual({ tensors: -2, bytes: -128 })
    expect(() => c.toArray()).toThrow(t.DisposedError)
  })

  it('stays when a fold hands on another carry', () => {
    // Cause: fold disposed a constant carry that the tape around had recorded as an operand.
    const f = (w: t.Tensor): t.Tensor =>
      t.fold({ h: t.tensor(1), total: t.tensor(0) }, [1, 2, 3], ({ h, total }) => ({
        h: t.mul(h, 2),
        total: t.add(total, t.mul(w, h)),
      })).total
    const w = t.tensor(5)
    expect(t.scope(() => t.grad(f)(w).item())).toBe(7)
    expect(leftBy(() => t.grad(f)(w).dispose())).toEqual(nothing)
  })
})

describe('an alias', () => {
  it('is a tensor of its own even where nothing changes', () => {
    // Cause: reshape, broadcastTo and transpose returned their operand, so that disposing one disposed both, by shape.
    const x = t.tensor([1, 2])
    for (const y of [t.reshape(x, [2]), t.broadcastTo(x, [2]), t.transpose(x), t.slice(x, 0)]) y.dispose()
    expect(x.toArray()).toEqual([1, 2])
    const y = t.reshape(x, [2])
    x.dispose()
    expect(y.toArray()).toEqual([1, 2])
    y.dispose()
  })

  it('has the gradient of what it aliases, to second order', () => {
    const f = (x: t.Tensor): t.Tensor => t.sum(t.mul(t.reshape(t.transpose(x), [3]), t.square(x)))
    const x = t.tensor([1, 2, 3])
    expect(t.grad(f)(x).toArray()).toEqual([3, 12, 27])
    expect(
      t
        .grad((y: t.Tensor) => t.sum(t.grad(f)(y)))(x)
        .toArray(),
    ).toEqual([6, 12, 18])
  })

  it('of a value whose tape is closed is known to the tapes around, like any operation on it', () => {
    const f = (same: (x: t.Tensor) => t.Tensor) => (a: t.Tensor) => {
      let leaked = a
      t.grad((b: t.Tensor) => {
        leaked = t.mul(b, a)
        return t.square(leaked)
      })(t.tensor(3))
      return same(leaked)
    }
    const a = t.tensor(2)
    expect(
      t
        .grad(f((x) => t.mul(x, 1)))(a)
        .item(),
    ).toBe(3)
    expect(
      t
        .grad(f((x) => t.reshape(x, [])))(a)
        .item(),
    ).toBe(3)
  })
})

describe('memory is what it was', () => {
  const x = t.tensor([1, 2])
  const dead = t.tensor(1)
  dead.dispose()

  it('after operands were refused', () => {
    // Cause: a number became a tensor before the other operand was looked at.
    const left = leftBy(() => {
      expect(() => t.add(1, 'x' as unknown as number)).toThrow(TypeError)
      expect(() => t.add(1, dead)).toThrow(t.DisposedError)
      expect(() => t.where(1, t.tensor([1, 2]), x).dispose()).not.toThrow()
      expect(() => t.where(1, 2, null as unknown as number)).toThrow(TypeError)
    })
    expect(left).toEqual({ tensors: 1, bytes: 64 })
  })

  it('but for the result after an operation on a number', () => {
    expect(leftBy(() => t.add(x, 1).dispose())).toEqual(nothing)
    expect(
      leftBy(() =>
        t
          .grad((y: t.Tensor) => t.sum(t.mul(t.add(y, 1), 2)))(x)
          .dispose(),
      ),
    ).toEqual(nothing)
  })

  it('after a transform refused a disposed tensor, in words that name it', () => {
    // Cause: a disposed input was put on the tape, and its count never came back.
    const refusal = 'a tensor of shape [] was used after it was disposed'
    const one = t.tensor(1)
    const left = leftBy(() => {
      expect(() => t.grad((y: t.Tensor) => y)(dead)).toThrow(`grad: ${refusal}`)
      expect(() => t.vjp((y: t.Tensor) => y, one, dead)).toThrow(refusal)
    })
    expect(left).toEqual(nothing)
    one.dispose()
  })

  it('after a fold, a snapshot or nested transforms were left by an error, and no scope is open', () => {
    // Cause: the carry of a failed fold and the tensors of half a snapshot were left to the garbage collector.
    const boom = (): never => {
      throw new Error('boom')
    }
    const start = t.tensor(1)
    const bodies: (() => unknown)[] = [
      () => t.fold(start, [1, 2], (c, i) => (i === 2 ? boom() : t.add(c, 1))),
      () =>
        t.fromSnapshot([
          { shape: [1], values: new Float32Array(1) },
          { shape: [2], values: new Float32Array(1) },
        ]),
      () =>
        t.grad((y: t.Tensor) => t.scope(() => t.vjp((z) => t.fold(z, [1], () => boom()), t.exp(y), y).value))(
          start,
        ),
      () => t.grad((y: t.Tensor) => t.grad((z: t.Tensor) => t.matmul(t.mul(z, y), z))(y))(start),
    ]
    for (const body of bodies) {
      expect(leftBy(() => expect(body).toThrow())).toEqual(nothing)
      expect(currentScope()).toBe(null)
    }
    start.dispose()
  })

  it('after a reduction over axes that lie apart, which needs room in between', () => {
    const wide = t.zeros([2, 2, 2, 2, 2])
    const left = leftBy(() => t.sum(wide, { axis: [0, 2, 4] }).dispose())
    expect(left).toEqual(nothing)
    wide.dispose()
  })

  it('after a kernel with working memory refused what it read', () => {
    const refusing = defineOperation<Record<never, never>, [t.Tensor]>({
      name: 'refusing',
      doc: 'nothing',
      shape: () => [3],
      reference: () => [0, 0, 0],
      scratch: () => 4096,
      kernel: () => {
        throw new RangeError('refused')
      },
      vjp: [null],
    })
    const x = t.zeros([3])
    const left = leftBy(() => expect(() => apply(refusing, [x], {})).toThrow('refused'))
    expect(left).toEqual(nothing)
    x.dispose()
  })

  it('after a kernel found room for its output and none for its scratch', () => {
    const a = t.zeros([300, 600])
    const b = t.zeros([600, 300])
    const wide = t.zeros([2, 40, 2, 500, 2])
    poisonFreed(false)
    const taken: ReturnType<typeof allocate>[] = []
    for (let bytes = 2 ** 30; bytes >= 64; bytes /= 2) {
      try {
        for (;;) taken.push(allocate(bytes))
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError)
      }
    }
    // One block comes back: room for an output, and not for the working memory beside it.
    const spare = taken.findLast((storage) => storage.bytes === 2 ** 19)!
    taken.splice(taken.indexOf(spare), 1)
    release(spare)
    const left = leftBy(() => {
      expect(() => t.matmul(a, b)).toThrow('memory: cannot grow the heap')
      expect(() => t.sum(wide, { axis: [0, 2, 4] })).toThrow('memory: cannot grow the heap')
    })
    for (const storage of taken) release(storage)
    expect(left).toEqual(nothing)
    poisonFreed(true)
    for (const x of [a, b, wide]) x.dispose()
  })

  it('after scopes were closed in the wrong order', () => {
    // Cause: a scope that was refused stayed open for good, and owned every tensor made since.
    const left = leftBy(() => {
      const outer = t.scope()
      t.ones([3])
      const inner = t.scope()
      t.ones([3])
      expect(() => outer[Symbol.dispose]()).toThrow('closed while a scope opened later is still open')
      inner[Symbol.dispose]()
    })
    expect(left).toEqual(nothing)
    expect(currentScope()).toBe(null)
  })
})

describe('what is not synchronous', () => {
  it('is refused by every transform, and leaves no scope open', () => {
    const x = t.tensor(1)
    const refusal = 'the function is asynchronous; await outside, and pass a synchronous function'
    const promise = async (): Promise<never> => new Promise(() => {})
    expect(() => t.grad(promise as unknown as () => t.Tensor)(x)).toThrow(`grad: ${refusal}`)
    expect(() => t.vjp(promise as unknown as () => t.Tensor, x, x)).toThrow(`vjp: ${refusal}`)
    expect(() => t.fold(x, [1], promise as unknown as () => t.Tensor)).toThrow(`fold: ${refusal}`)
    expect(() => t.scope(function* () {})).toThrow('scope: the function is a generator')
    expect(currentScope()).toBe(null)
    x.dispose()
  })
})

describe('addresses beyond 2^31', () => {
  it('give the same bits as low ones', () => {
    const run = (): Uint32Array =>
      t.scope(() => {
        const x = t.normal(t.key(1), [37, 129])
        const y = t.normal(t.key(2), [129, 65])
        const parts = [
          t.matmul(x, y),
          t.matmul(y, x, { transposeA: true, transposeB: true }),
          t.softmax(t.transpose(x)),
          t.exp(x),
          t.mul(t.sum(x, { axis: 0 }), x),
          t.max(x, { axis: 1 }),
          t.pad(t.slice(x, [1, 2], [30, 100]), [
            [2, 1],
            [0, 3],
          ]),
          t.gather(x, t.tensor([36, 0, 5])),
          t.grad((z: t.Tensor) => t.sum(t.tanh(t.matmul(z, y))))(x),
        ].map((part) => t.reshape(part, [-1]))
        return new Uint32Array(t.concat(parts).toFloat32Array().buffer)
      })
    const low = run()
    poisonFreed(false)
    const taken: ReturnType<typeof allocate>[] = []
    const small: ReturnType<typeof allocate>[] = []
    let full = 0
    while (full < 2 ** 31) {
      const storage = allocate(2 ** 20)
      full = storage.offset + storage.bytes
      taken.push(storage)
    }
    // Low blocks of the sizes above are used up, so that the run has to go high.
    for (let bytes = 64; bytes <= 2 ** 16; bytes += 64) {
      for (let offset = 0; offset < full; offset = small[small.length - 1]!.offset)
        small.push(allocate(bytes))
    }
    const probe = t.ones([37, 129])
    expect(probe.offset).toBeGreaterThan(2 ** 31)
    probe.dispose()
    expect(run()).toEqual(low)
    for (const storage of [...taken, ...small]) release(storage)
    poisonFreed(true)
  })
})
