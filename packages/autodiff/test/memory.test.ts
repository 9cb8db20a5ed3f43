import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'
import { allocate, poisonFreed, release } from '../src/memory.ts'

beforeAll(() => poisonFreed(true))
afterAll(() => poisonFreed(false))

const live = () => t.memory().bytes

describe('the heap', () => {
  it('gives back what a tensor held, once', () => {
    const before = t.memory()
    const x = t.ones([100])
    expect(live() - before.bytes).toBe(448)
    x.dispose()
    x.dispose()
    expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
  })

  it('uses freed blocks again', () => {
    t.zeros([1000]).dispose()
    const before = t.memory().heapBytes
    for (let i = 0; i < 1000; i++) t.zeros([1000]).dispose()
    expect(t.memory().heapBytes).toBe(before)
  })

  it('never hands out overlapping blocks, and merges freed neighbours when it runs full', () => {
    const held = new Map<number, ReturnType<typeof allocate>>()
    let seed = 1
    const random = (n: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
      return seed % n
    }
    for (let turn = 0; turn < 3000; turn++) {
      if (random(2) === 0 && held.size > 0) {
        const [offset, storage] = [...held][random(held.size)]!
        held.delete(offset)
        release(storage)
      } else {
        const storage = allocate(random(3) === 0 ? random(1 << 20) : random(5000))
        expect(storage.offset % 64).toBe(0)
        held.set(storage.offset, storage)
      }
    }
    const blocks = [...held.values()].sort((a, b) => a.offset - b.offset)
    for (let i = 1; i < blocks.length; i++) {
      expect(blocks[i - 1]!.offset + blocks[i - 1]!.bytes).toBeLessThanOrEqual(blocks[i]!.offset)
    }
    for (const storage of held.values()) release(storage)
  })

  it('says what was wanted, what is live and who holds most when it cannot grow', () => {
    const x = t.zeros([1 << 20])
    const before = live()
    const taken: ReturnType<typeof allocate>[] = []
    poisonFreed(false)
    expect(() => {
      for (;;) taken.push(allocate(2 ** 29, [2 ** 27]))
    }).toThrow(
      /^memory: cannot grow the heap for a tensor of shape \[134217728\] \(536870912 bytes\): \d+ bytes are live in \d+ tensors, the largest holder is a tensor of shape \[134217728\] \(536870912 bytes\); make batches smaller, or free tensors with scope or dispose$/,
    )
    expect(taken.length).toBeGreaterThan(0)
    for (const storage of taken) release(storage)
    poisonFreed(true)
    expect(live()).toBe(before)
    expect(x.toFloat32Array().every((value) => value === 0)).toBe(true)
    x.dispose()
  })
})

describe('scope', () => {
  it('keeps what it returns and frees the rest', () => {
    const before = t.memory().tensors
    const kept = t.scope(() => {
      t.ones([3])
      return { a: [t.add(t.tensor([1]), 1)] }
    })
    expect(t.memory().tensors - before).toBe(1)
    expect(kept.a[0]!.toArray()).toEqual([2])
  })

  it('never frees what existed before, nor what a reshape still shows', () => {
    const x = t.tensor([1, 2, 3, 4])
    const view = t.scope(() => {
      t.reshape(x, [4, 1])
      return t.reshape(t.add(x, 1), [2, 2])
    })
    expect(x.toArray()).toEqual([1, 2, 3, 4])
    expect(view.toArray()).toEqual([
      [2, 3],
      [4, 5],
    ])
  })

  it('keeps what a gradient being computed still needs', () => {
    const gradient = t.grad((x: t.Tensor) => t.sum(t.scope(() => t.mul(t.exp(x), t.tensor([2, 3])))))(
      t.tensor([0, 0]),
    )
    expect(gradient.toArray()).toEqual([2, 3])
  })

  it('frees when an error passes, inner scopes included', () => {
    const before = t.memory()
    expect(() =>
      t.scope(() => {
        t.ones([5])
        t.grad(() => t.scope(() => t.matmul(t.ones([1, 2]), t.ones([3, 1]))))(t.tensor(1))
      }),
    ).toThrow('inner sizes differ')
    expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
  })

  it('refuses an asynchronous function', () => {
    expect(() => t.scope(async () => {})).toThrow(
      'scope: the function is asynchronous; await outside, and pass a synchronous function',
    )
  })

  it('works with using, and refuses to be closed out of order', () => {
    const before = t.memory().tensors
    let kept: t.Tensor
    {
      using s = t.scope()
      t.ones([2])
      kept = s.keep(t.ones([1]))
    }
    expect(t.memory().tensors - before).toBe(1)
    kept.dispose()
    const outer = t.scope()
    const inner = t.scope()
    expect(() => outer[Symbol.dispose]()).toThrow(
      'scope: closed while a scope opened later is still open; close scopes in the reverse order of opening',
    )
    inner[Symbol.dispose]()
    outer[Symbol.dispose]()
  })
})

describe('a gradient', () => {
  it('leaves nothing behind but its results', () => {
    const x = t.tensor([
      [1, 2],
      [3, 4],
    ])
    const before = t.memory().tensors
    const gradient = t.grad((w: t.Tensor) => t.sum(t.tanh(t.matmul(w, w))))(x)
    expect(t.memory().tensors - before).toBe(1)
    gradient.dispose()
    const second = t.grad((w: t.Tensor) => t.sum(t.square(t.grad((v: t.Tensor) => t.sum(t.exp(v)))(w))))(x)
    expect(t.memory().tensors - before).toBe(1)
    second.dispose()
  })
})

describe('fold', () => {
  it('holds memory flat over 10,000 steps and keeps what the caller gave', () => {
    const w = t.tensor([
      [0.5, -0.5],
      [0.25, 1],
    ])
    const step = t.grad((p: { w: t.Tensor }) => t.sum(t.square(t.matmul(p.w, t.tensor([[1], [2]])))))
    const at: Record<number, unknown> = {}
    const last = t.fold({ w }, Array.from({ length: 10_000 }), (carry, _, i) => {
      if (i === 1000 || i === 9_999) at[i] = t.memory()
      return { w: t.sub(carry.w, t.mul(step(carry).w, 0.01)) }
    })
    expect(at[9_999]).toEqual(at[1000])
    expect(w.toArray()).toEqual([
      [0.5, -0.5],
      [0.25, 1],
    ])
    expect(last.w.shape).toEqual([2, 2])
  })

  it('keeps a leaf that is handed on unchanged', () => {
    const b = t.tensor(7)
    const end = t.fold({ a: t.tensor(1), b }, [1, 2, 3], ({ a, b: same }) => ({ a: t.add(a, 1), b: same }))
    expect(end.b).toBe(b)
    expect(end.a.item()).toBe(4)
  })

  it('frees nothing that a turn did not make', () => {
    const outer = t.tensor(5)
    t.fold({ a: t.tensor(1) }, [1, 2, 3], (_, item) => (item === 1 ? { a: outer } : { a: t.tensor(item) }))
    expect(outer.item()).toBe(5)
  })

  it('can be differentiated through', () => {
    const power = (x: t.Tensor) => t.fold(t.tensor(1), [1, 2, 3], (carry) => t.mul(carry, x))
    expect(t.grad(power)(t.tensor(2)).item()).toBe(12)
  })

  it('keeps a reshaped leaf of the old carry', () => {
    const end = t.fold(t.tensor([1, 2, 3, 4]), [1, 2], (x) => t.reshape(x, x.rank === 1 ? [2, 2] : [4]))
    expect(end.toArray()).toEqual([1, 2, 3, 4])
  })
})

describe('snapshots', () => {
  it('live outside of the heap and come back', () => {
    const before = t.memory().tensors
    const saved = t.scope(() => t.toSnapshot({ w: t.tensor([[1, 2]]), key: t.key(3), step: 4, none: null }))
    expect(t.memory().tensors).toBe(before)
    expect(saved).toEqual({
      w: { shape: [1, 2], values: new Float32Array([1, 2]) },
      key: t.key(3),
      step: 4,
      none: null,
    })
    const back = t.fromSnapshot(saved)
    expect(back.w.toArray()).toEqual([[1, 2]])
    expect(back.step).toBe(4)
  })
})

describe('a tensor', () => {
  it('is read by copies', () => {
    const x = t.tensor([
      [1, 2],
      [3, 4],
    ])
    const copy = x.toFloat32Array()
    copy[0] = 9
    expect(x.toArray()).toEqual([
      [1, 2],
      [3, 4],
    ])
    expect(String(x)).toBe('Tensor [2,2] [[1,2],[3,4]]')
    expect(String(t.tensor([Number.NaN, Infinity, -0]))).toBe('Tensor [3] [NaN,Infinity,0]')
  })

  it('is refused after it was disposed', () => {
    const x = t.tensor([1])
    x.dispose()
    expect(() => x.item()).toThrow('item: a tensor of shape [1] was used after it was disposed')
    expect(() => t.add(x, 1)).toThrow('add: a tensor of shape [1] was used after it was disposed')
    expect(String(x)).toBe('Tensor [1] (disposed)')
  })

  it('is made of nested arrays, flat values or a number, and of nothing else', () => {
    expect(t.tensor([[[1]], [[2]]]).shape).toEqual([2, 1, 1])
    expect(t.tensor([], [0, 3]).toArray()).toEqual([])
    expect(t.tensor([[], []]).shape).toEqual([2, 0])
    expect(() => t.tensor([[1, 2], [3]])).toThrow(
      'tensor: rows differ: axis 1 holds 2 values, got 1 values; make all rows equally long',
    )
    expect(() => t.tensor(['1'] as unknown as number[])).toThrow(
      'tensor: every value must be a number, got a string',
    )
    expect(() => t.tensor(new Array<number>(2))).toThrow(
      'tensor: every value must be a number, got undefined',
    )
    expect(() => t.tensor([1n] as unknown as number[])).toThrow(
      'tensor: every value must be a number, got a bigint',
    )
    expect(() => t.tensor([1, 2, 3], [2, 2])).toThrow(
      'tensor: shape [2,2] holds 4 values, got 3; change the shape or the data',
    )
    expect(() => t.tensor([1], [0.5])).toThrow('tensor: sizes must be integers from 0 on, got [0.5]')
  })

  it('refuses operators', () => {
    expect(() => (t.tensor([1, 2]) as unknown as number) + 1).toThrow(
      'tensor: operators do not work on tensors, got shape [2]; use t.add, t.mul, … or item()',
    )
    expect(+(t.tensor([2]) as unknown as number)).toBe(2)
  })
})
