import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'
import { poisonFreed } from '../src/memory.ts'
import { bitsOf, counted, leftBy, nothing, refusal } from './compile-law.ts'

beforeAll(() => poisonFreed(true))
afterAll(() => poisonFreed(false))

interface State {
  readonly w: t.Tensor
  readonly v: t.Tensor
}

const start = (): State => ({ w: t.tensor([1, 2]), v: t.tensor([0, 0.5]) })
const batch = (from = 0) =>
  t.tensor(
    Float32Array.from({ length: 6 }, (_, i) => Math.sin(from + i)),
    [3, 2],
  )

function step(state: State, x: t.Tensor, rate: number) {
  const { value, gradients } = t.valueAndGrad((w: t.Tensor) => t.mean(t.square(t.tanh(t.mul(x, w)))))(state.w)
  const v = t.sub(t.mul(state.v, 0.9), t.mul(gradients, rate))
  return { state: { w: t.add(state.w, v), v }, loss: value, gradients, rate }
}

describe('select', () => {
  const paths = ['state.w', 'state.v', 'loss', 'gradients']
  const at = (result: unknown, path: string): unknown =>
    path.split('.').reduce<unknown>((tree, key) => (tree as Record<string, unknown>)[key], result)
  /** The bits of a result of which only some paths were wanted. */
  function withNulls(bits: unknown, wanted: readonly string[], prefix = ''): unknown {
    if (typeof bits !== 'object' || bits === null) return bits
    if ('bits' in bits) return wanted.includes(prefix) ? bits : null
    return Object.fromEntries(
      Object.entries(bits).map(([key, one]) => [
        key,
        withNulls(one, wanted, prefix === '' ? key : `${prefix}.${key}`),
      ]),
    )
  }

  it.each([
    ['without', { donate: [] }],
    ['donating', { donate: [0] }],
    ['with results used again', { donate: [], reuse: true }],
    ['with both', { donate: [0], reuse: true }],
  ] as const)('gives null for what is not wanted and the same bits for the rest: %s', (_, given) => {
    const { f, runs } = counted(step)
    const left = leftBy(() => {
      const compiled = t.compile(f, given)
      const masks = [15, 0, 5, 3, 8, 15, 12, 1, 15, 6]
      for (const mask of masks) {
        const wanted = paths.filter((_path, i) => (mask & (1 << i)) !== 0)
        compiled.select((path) => wanted.includes(path))
        for (let call = 0; call < 2; call++) {
          t.scope(() => {
            const expected = bitsOf(step(start(), batch(mask), 0.1))
            const result = compiled(start(), batch(mask), 0.1)
            expect(bitsOf(result)).toEqual(withNulls(expected, wanted))
            for (const path of paths) expect(at(result, path) === null).toBe(!wanted.includes(path))
          })
        }
      }
      expect(runs()).toBe(1)
      compiled.dispose()
    })
    expect(left).toEqual(nothing)
  })

  it('drops the lines that nothing else needs, and what they took', () => {
    const compiled = t.compile(step)
    const args = () => [start(), batch(), 0.1] as const
    t.scope(() => {
      const whole = compiled.plan(...args())
      compiled.select((path) => path === 'loss')
      const part = compiled.plan(...args())
      expect(part.recorded).toEqual(whole.recorded)
      expect(part.planned.length).toBeLessThan(whole.planned.length / 2)
      expect(part.plannedBytes).toBeLessThan(whole.plannedBytes)
      compiled.select(() => false)
      expect(compiled.plan(...args())).toMatchObject({ planned: [], plannedBytes: 0 })
      compiled.select(() => true)
      expect(String(compiled.plan(...args()))).toBe(String(whole))
    })
    compiled.dispose()
  })

  it('asks for the paths of tensors, and for programs to come too', () => {
    const asked = new Set<string>()
    const compiled = t.compile((x: t.Tensor, n: number) => ({
      a: [x, { b: t.neg(x) }],
      n,
      k: t.key(1),
      s: 'text',
    }))
    compiled.select((path) => {
      asked.add(path)
      return path !== 'a.0'
    })
    t.scope(() => {
      expect(bitsOf(compiled(t.tensor([1]), 2))).toEqual(
        bitsOf({ a: [null, { b: t.tensor([-1]) }], n: 2, k: t.key(1), s: 'text' }),
      )
    })
    expect([...asked].sort()).toEqual(['a.0', 'a.1.b'])
    compiled.select(() => true)
    t.scope(() => expect(compiled(t.tensor([1]), 2).a[0]).not.toBe(null))
    compiled.dispose()
    const root = t.compile((x: t.Tensor) => t.neg(x))
    root.select((path) => path !== '')
    expect(root(t.tensor([1]))).toBe(null)
    root.dispose()
  })

  it('leaves nothing where it throws, and can be called again', () => {
    const x = t.tensor([1, 2, 3])
    const left = leftBy(() => {
      const compiled = t.compile((y: t.Tensor) => t.add(y, t.tensor([1, 2, 3])))
      compiled.select(() => {
        throw new Error('the reason')
      })
      expect(refusal(() => compiled(x))).toBe('Error: the reason')
      expect(refusal(() => compiled(x))).toBe('Error: the reason')
      expect(refusal(() => compiled.select('path' as never))).toBe(
        'TypeError: select: a function is needed, got a string; pass x => … instead of its result',
      )
      compiled.select(() => true)
      t.scope(() => expect(compiled(x).toArray()).toEqual([2, 4, 6]))
      compiled.dispose()
    })
    expect(left).toEqual(nothing)
  })
})
