import { describe, expect, it, vi } from 'vitest'
import * as t from '../src/index.ts'
import { operations } from '../src/testing.ts'
import { thrownBy, validCalls } from './every-operation.ts'

// Two copies of the package have two heaps: an offset of one names other numbers in the other.
vi.resetModules()
const other = await import('../src/index.ts')
const foreign = other.tensor([1, 2]) as unknown as t.Tensor

const words = 'a tensor of another copy of Tapeflow was given; install one copy (npm ls @tapeflow/autodiff)'

describe('a tensor of another copy of the library', () => {
  it('is of another class and another heap', () => {
    expect(foreign).not.toBeInstanceOf(t.Tensor)
    expect(other.memory().tensors).toBe(1)
  })

  for (const info of operations) {
    const { name } = info.operation
    it(`is refused by ${name}, in each place`, () => {
      t.scope(() => {
        for (const { call, inputs } of validCalls(info)) {
          const { tensors, bytes } = t.memory()
          for (const place of inputs.keys()) {
            const error = thrownBy(() => call(...inputs.map((x, i) => (i === place ? foreign : x))))
            expect(error, `operand ${place}`).toBeInstanceOf(TypeError)
            expect(error).toMatchObject({ message: `${name}: ${words}`, operation: name })
          }
          expect(t.memory()).toMatchObject({ tensors, bytes })
        }
      })
    })
  }

  it('is refused where trees and data are expected', () => {
    const double = (x: t.Tensor): t.Tensor => t.mul(x, 2)
    const calls: Readonly<Record<string, () => unknown>> = {
      tensor: () => t.tensor(foreign as unknown as number[]),
      zerosLike: () => t.zerosLike(foreign),
      checkIndices: () => t.checkIndices('checkIndices', foreign, 3),
      squeeze: () => t.squeeze(foreign),
      tree: () => t.toSnapshot({ weight: foreign }),
    }
    for (const [name, call] of Object.entries(calls)) expect(call).toThrow(`${name}: ${words}`)
    for (const call of [
      () => t.grad((x: t.Tensor) => t.sum(double(x)))(foreign),
      () => t.vjp(double, foreign, t.tensor(1)),
      () => t.compile(double)(foreign),
      () => t.scan((carry: t.Tensor) => ({ carry, y: carry }), t.tensor(1), foreign),
    ])
      expect(call).toThrow(words)
  })

  it('is not alone: keys of another copy are refused too', () => {
    const key = other.key(1) as unknown as t.Key
    const keyWords = words.replace('a tensor', 'a key')
    expect(() => t.normal(key, [2])).toThrow(`normal: ${keyWords}`)
    expect(() => t.split(key)).toThrow(`split: ${keyWords}`)
    expect(() => t.toSnapshot({ key })).toThrow(`tree: ${keyWords}`)
  })
})
