import * as t from '@tapeflow/autodiff'
import { describe, expect, test } from 'vitest'
import { bigramBits } from './bigram.ts'
import { gruModel, transformerModel } from './models.ts'
import { mobyDick, textOf, windows } from './text.ts'
import { trainCharacters } from './train.ts'
import { written } from './write.ts'

const long = import.meta.env['LONG'] === '1'

describe('a text', () => {
  test('has windows of characters, each with the one that follows', () => {
    const whole = 'abac'.repeat(30)
    const { alphabet, train, heldOut } = textOf(whole)
    expect(alphabet.slice(0, 3)).toEqual(['a', 'b', 'c'])
    expect([...train, ...heldOut].map((place) => alphabet[place]).join('')).toBe(whole)
    const [first, second] = windows(train, 3).batch(1)
    expect([...first!.x.values, ...second!.x.values]).toEqual([0, 1, 0, 2, 0, 1])
    expect([...first!.y.values, ...second!.y.values]).toEqual([1, 0, 2, 0, 1, 0])
  })

  test('costs a bigram model what its counts say', () => {
    // After a came b two times of two, after b came a once of once; each pair counts one more.
    const text = { alphabet: ['a', 'b'], train: Uint8Array.of(0, 1, 0, 1), heldOut: Uint8Array.of(0, 1, 0) }
    expect(bigramBits(text)).toBeCloseTo(-(Math.log2(3 / 4) + Math.log2(2 / 3)) / 2, 12)
  })
})

test('a gru learns to go round in a circle, and to write it', async () => {
  const text = textOf('abcd'.repeat(600))
  const choices = { steps: 40, rows: 8, length: 16, learningRate: 0.01, seed: 1 }
  const { bits, params } = await trainCharacters(gruModel(text.alphabet.length), text, choices)
  expect(bits).toBeLessThan(0.2)
  const before = t.memory().tensors
  const line = t.scope(() =>
    written(gruModel(text.alphabet.length, 1), params(), text.alphabet, 'cd', 10, t.key(1)),
  )
  expect(line).toBe('cdabcdabcdab')
  expect(t.memory().tensors).toBe(before)
})

if (long) {
  describe('on text of Moby Dick that none has seen', () => {
    const text = mobyDick()
    const bigram = bigramBits(text)

    test.each([
      { name: 'gru', make: gruModel, learningRate: 0.005, bound: bigram - 0.6 },
      { name: 'transformer block', make: transformerModel, learningRate: 0.003, bound: bigram - 0.3 },
    ])(
      'a $name needs fewer bits per character than pairs of characters do',
      async ({ name, make, learningRate, bound }) => {
        const choices = { steps: 600, rows: 32, length: 64, learningRate, seed: 1 }
        const { bits, seconds } = await trainCharacters(make(text.alphabet.length), text, choices)
        console.log(`${name}: ${bits.toFixed(3)} bits, bigrams ${bigram.toFixed(3)}, ${seconds.toFixed(0)} s`)
        expect(bits).toBeLessThan(bound)
      },
    )
  })
}
