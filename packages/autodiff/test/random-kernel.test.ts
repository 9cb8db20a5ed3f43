import * as t from '@tapeflow/autodiff'
import { describe, expect, it } from 'vitest'
import { wasm } from '../src/kernels/wasm.ts'
import { fillTruncatedNormal } from '../src/random-bits.ts'

const keys = [t.key(0), t.key(7), t.key([0xffffffff, 0xffffffff]), t.key([0x80000000, 0x12345678])]
const counts = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 1000]

/** What the kernel writes, and what stands behind that. */
function written(
  count: number,
  key: t.Key,
  most: number,
  chooses: 0 | 1,
): { words: Uint32Array; behind: number } {
  return t.scope(() => {
    const room = t.full([count + 4], 5)
    wasm().randomBits(room.offset, count, key.high, key.low, most, chooses)
    const all = room.toFloat32Array()
    return { words: new Uint32Array(all.buffer, 0, count), behind: Math.min(...all.subarray(count)) }
  })
}

describe('random bits in the heap', () => {
  it('are those of randomBits, for every count, and nothing behind them is written', () => {
    for (const key of keys) {
      for (const count of counts) {
        const { words, behind } = written(count, key, 0, 0)
        expect(words).toEqual(t.randomBits(key, count))
        expect(behind).toBe(5)
      }
    }
  })

  it('are compared as unsigned words', () => {
    for (const most of [0, 1, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff]) {
      const { words, behind } = written(999, keys[1]!, most, 1)
      const numbers = new Float32Array(words.buffer, 0, 999)
      expect(numbers).toEqual(
        Float32Array.from(t.randomBits(keys[1]!, 999), (word) => (word <= most ? 1 : 0)),
      )
      expect(behind).toBe(5)
    }
  })

  it('make bernoulli what bernoulliValues is, at the ends of its range too', () => {
    for (const key of keys) {
      for (const p of [0, 1e-20, 2 ** -32, 0.2, 0.5, 1 - 2 ** -33, 1]) {
        t.scope(() => {
          expect(t.bernoulli(key, [333], p).toFloat32Array()).toEqual(t.bernoulliValues(key, 333, p))
        })
      }
    }
  })

  it('make uniform, normal and truncatedNormal what their values are', () => {
    for (const key of keys) {
      t.scope(() => {
        expect(t.uniform(key, [333], -2, 3).toFloat32Array()).toEqual(t.uniformValues(key, 333, -2, 3))
        expect(t.normal(key, [333]).toFloat32Array()).toEqual(t.normalValues(key, 333))
        expect(t.truncatedNormal(key, [333]).toFloat32Array()).toEqual(
          fillTruncatedNormal(key, new Float32Array(333)),
        )
      })
    }
  })
})
