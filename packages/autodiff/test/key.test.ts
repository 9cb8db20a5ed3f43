import { describe, expect, test } from 'vitest'
import { foldIn, Key, key, split } from '../src/key.ts'
import { truncatedNormal } from '../src/random.ts'
import {
  bernoulliValues,
  normalQuantile,
  normalValues,
  permutationValues,
  randomBits,
  uniformValues,
} from '../src/random-bits.ts'
import { threefry2x32 } from '../src/threefry.ts'

const refusal = (kind: typeof RangeError, text: string): Error =>
  Object.assign(new kind(text), { operation: text.split(':')[0] })

const mean = (values: ArrayLike<number>, f = (v: number) => v): number => {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += f(values[i]!)
  return sum / values.length
}

/** The largest gap between the empirical distribution and `cdf`, times sqrt(n): above 1.95 once in 1,000 runs. */
const kolmogorov = (values: Float32Array, cdf: (v: number) => number): number => {
  const sorted = values.slice().sort()
  let worst = 0
  for (let i = 0; i < sorted.length; i++) {
    const p = cdf(sorted[i]!)
    worst = Math.max(worst, p - i / sorted.length, (i + 1) / sorted.length - p)
  }
  return worst * Math.sqrt(sorted.length)
}

/** The normal distribution function by Simpson's rule, independent of the code under test. */
const normalCdf = (x: number): number => {
  const n = 2000
  const h = x / n
  let sum = 0
  for (let i = 0; i <= n; i++) {
    const weight = i === 0 || i === n ? 1 : i % 2 === 1 ? 4 : 2
    sum += weight * Math.exp(-0.5 * (i * h) ** 2)
  }
  return 0.5 + (sum * h) / 3 / Math.sqrt(2 * Math.PI)
}

describe('threefry2x32', () => {
  test.each([
    [0, 0, 0, 0, 0x6b200159, 0x99ba4efe],
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x1cb996fc, 0xbb002be7],
    [0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3, 0xc4923a9c, 0x483df7a0],
  ])('gives the known answer of Random123 for key %i %i and counter %i %i', (k0, k1, c0, c1, x, y) => {
    expect([...threefry2x32(k0, k1, c0, c1)]).toEqual([x, y])
  })

  test('writes into the array it is given', () => {
    const into = new Uint32Array(2)
    expect(threefry2x32(1, 2, 3, 4, into)).toBe(into)
    expect(into).toEqual(threefry2x32(1, 2, 3, 4))
  })
})

describe('key', () => {
  test('is two words, high and low, of the seed', () => {
    expect(key(2 ** 53 - 1)).toEqual(new Key(0x1fffff, 0xffffffff))
    expect(key([3, 4])).toEqual(new Key(3, 4))
    expect(String(key([0xab, 4]))).toBe('Key(000000ab00000004)')
  })

  test.each([-1, 0.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY])('refuses the seed %d', (seed) => {
    const text = `key: the seed must be an integer from 0 to 2^53 - 1, got ${seed}; pass an integer such as 42`
    expect(() => key(seed)).toThrow(refusal(RangeError, text))
  })

  test('refuses what is no seed', () => {
    expect(() => key({} as unknown as number)).toThrow(
      refusal(TypeError, 'key: the seed must be a number, got an object; pass an integer such as 42'),
    )
    expect(() => key('7' as unknown as number)).toThrow(
      refusal(TypeError, 'key: the seed must be a number, got a string; pass an integer such as 42'),
    )
    expect(() => key([0, 2 ** 32])).toThrow(
      refusal(RangeError, 'key: both words must be integers from 0 to 4294967295, got [0, 4294967296]'),
    )
  })
})

describe('children of a key', () => {
  test('are all different, from each other and from the numbers drawn', () => {
    const parent = key(42)
    const bits = randomBits(parent, 2000)
    const seen = new Set<string>([String(parent)])
    for (let i = 0; i < 2000; i += 2) seen.add(String(key([bits[i]!, bits[i + 1]!])))
    for (const k of split(parent, 1000)) seen.add(String(k))
    for (let i = 0; i < 1000; i++) seen.add(String(foldIn(parent, i)))
    for (let i = 0; i < 1000; i++) seen.add(String(foldIn(parent, `layers.${i}`)))
    expect(seen.size).toBe(4001)
  })

  test('do not depend on how many are asked for', () => {
    expect(split(key(1), 9).slice(0, 2)).toEqual(split(key(1)))
  })

  test('named by texts differ for lengths, trailing zeros and nesting', () => {
    const parent = key(0)
    const all = [
      foldIn(parent, ''),
      foldIn(parent, 'a'),
      foldIn(parent, 'a\0'),
      foldIn(parent, 'ab'),
      foldIn(parent, 'abcd'),
      foldIn(foldIn(parent, 'ab'), 'cd'),
      foldIn(parent, 97),
    ]
    expect(new Set(all.map(String)).size).toBe(all.length)
  })

  test('are the same for ever: these bits are part of every seed people wrote down', () => {
    expect(split(key(42)).map(String)).toMatchInlineSnapshot(`
      [
        "Key(03d7b32dadd083f4)",
        "Key(44ca21e31c35f481)",
      ]
    `)
    expect(String(foldIn(key(42), 7))).toMatchInlineSnapshot(`"Key(25a7bb2bf394dbd4)"`)
    expect(String(foldIn(key(42), 'layers.0'))).toMatchInlineSnapshot(`"Key(5c6b8aca49eec8fb)"`)
    expect([...normalValues(key(42), 4)]).toMatchInlineSnapshot(`
      [
        -0.1847117394208908,
        -1.5299044847488403,
        -1.2806503772735596,
        0.8832999467849731,
      ]
    `)
  })

  test('refuse bad arguments by name', () => {
    expect(() => split(key(1), -1)).toThrow(
      refusal(RangeError, 'split: the number of keys must be an integer of at least 0, got -1'),
    )
    expect(() => foldIn(key(1), 1.5)).toThrow(
      refusal(RangeError, 'foldIn: the index must be an integer from 0 to 4294967295, got 1.5'),
    )
    expect(() => foldIn(42 as unknown as Key, 1)).toThrow(
      refusal(TypeError, 'foldIn: expected a key, got a number; make one with key(seed)'),
    )
    expect(() => foldIn(key(1), null as unknown as number)).toThrow(
      refusal(TypeError, 'foldIn: the index must be a number or a string, got null'),
    )
  })
})

describe('random values', () => {
  test('element i depends on the key and i alone', () => {
    for (const draw of [randomBits, uniformValues, normalValues] as const) {
      const long = draw(key(5), 101)
      for (const n of [0, 1, 2, 3, 100]) expect([...draw(key(5), n)]).toEqual([...long.subarray(0, n)])
    }
  })

  test('bits equal the generator block by block', () => {
    const k = key([0x13198a2e, 0x03707344])
    const bits = randomBits(k, 8)
    for (let b = 0; b < 4; b++) {
      expect([...bits.subarray(2 * b, 2 * b + 2)]).toEqual([...threefry2x32(k.high, k.low, b, 0)])
    }
  })

  test('uniform numbers have the moments and the distribution of U[0, 1)', () => {
    const values = uniformValues(key(11), 200_000)
    expect(mean(values)).toBeCloseTo(0.5, 2)
    expect(mean(values, (v) => (v - 0.5) ** 2)).toBeCloseTo(1 / 12, 3)
    expect(kolmogorov(values, (v) => v)).toBeLessThan(1.95)
    const neighbours = mean(values.subarray(1).map((v, i) => (v - 0.5) * (values[i]! - 0.5)))
    expect(Math.abs(neighbours)).toBeLessThan(0.001)
  })

  test.each([
    [-2, 3],
    [0.1, 0.3],
    [1, 1.0000002],
    [16777216, 16777220],
    [-1e-45, 1e-45],
    [-3.4e38, 3.4e38],
    [-0.3, -0.1],
  ])('uniform numbers of [%d, %d) stay inside after rounding to float32', (low, high) => {
    for (const v of uniformValues(key(3), 5000, low, high)) {
      if (!(v >= low && v < high)) throw new Error(`${v} is outside [${low}, ${high})`)
    }
  })

  test('uniform refuses an empty range', () => {
    expect(() => uniformValues(key(1), 2, 1, 1)).toThrow(
      refusal(RangeError, 'uniformValues: low must be below high and both finite, got low 1 and high 1'),
    )
    const between = [16777216.25, 16777216.75] as const
    expect(() => uniformValues(key(1), 2, ...between)).toThrow(
      refusal(
        RangeError,
        'uniformValues: no finite float32 number lies in [low, high), got low 16777216.25 and high 16777216.75',
      ),
    )
  })

  test('normal numbers have the moments, the distribution and the tails of N(0, 1)', () => {
    const n = 200_000
    const values = normalValues(key(12), n)
    expect(Math.abs(mean(values))).toBeLessThan(4 / Math.sqrt(n))
    expect(Math.abs(mean(values, (v) => v ** 2) - 1)).toBeLessThan(4 * Math.sqrt(2 / n))
    expect(Math.abs(mean(values, (v) => v ** 3))).toBeLessThan(4 * Math.sqrt(15 / n))
    expect(Math.abs(mean(values, (v) => v ** 4) - 3)).toBeLessThan(4 * Math.sqrt(96 / n))
    expect(kolmogorov(values.subarray(0, 20_000), normalCdf)).toBeLessThan(1.95)
    const beyond = mean(values, (v) => (Math.abs(v) > 3 ? 1 : 0)) * n
    expect(Math.abs(beyond - 0.0026998 * n)).toBeLessThan(4 * Math.sqrt(0.0027 * n))
  })

  test('truncated normal numbers have the moments, the distribution and the ends of N(0, 1) cut at 2', () => {
    const n = 200_000
    const values = truncatedNormal(key(13), [n]).toFloat32Array()
    // phi(2) and Phi(2) from tables: 1 - 4 phi(2) / (2 Phi(2) - 1).
    const variance = 1 - (4 * Math.exp(-2)) / Math.sqrt(2 * Math.PI) / (2 * 0.9772498680518208 - 1)
    expect(Math.abs(mean(values))).toBeLessThan(4 * Math.sqrt(variance / n))
    expect(Math.abs(mean(values, (v) => v ** 2) / variance - 1)).toBeLessThan(4 * Math.sqrt(1.3663 / n))
    const [lowest, highest] = [normalCdf(-2), normalCdf(2)]
    const cut = (x: number): number => (normalCdf(x) - lowest) / (highest - lowest)
    expect(kolmogorov(values.subarray(0, 20_000), cut)).toBeLessThan(1.95)
    const most = values.reduce((a, v) => Math.max(a, Math.abs(v)), 0)
    expect(most).toBeLessThanOrEqual(2)
    expect(most).toBeGreaterThan(1.9999)
    expect(new Set(values.map((v) => Math.sign(v)))).toEqual(new Set([1, -1]))
  })

  test('bernoulli numbers are ones with the frequency p', () => {
    const values = bernoulliValues(key(4), 100_000, 0.2)
    expect(mean(values)).toBeCloseTo(0.2, 2)
    expect(new Set(values)).toEqual(new Set([0, 1]))
    expect(() => bernoulliValues(key(4), 1, 1.5)).toThrow(
      refusal(RangeError, 'bernoulliValues: the probability must lie in [0, 1], got 1.5'),
    )
  })

  test('a permutation holds every index once, and every order is equally likely', () => {
    for (const n of [0, 1, 2, 7, 5000]) {
      expect([...permutationValues(key(9), n)].sort((a, b) => a - b)).toEqual(
        Array.from({ length: n }, (_, i) => i),
      )
    }
    const counts = new Map<string, number>()
    const root = key(77)
    for (let i = 0; i < 24_000; i++) {
      const order = permutationValues(foldIn(root, i), 4).join()
      counts.set(order, (counts.get(order) ?? 0) + 1)
    }
    expect(counts.size).toBe(24)
    const chiSquared = [...counts.values()].reduce((sum, c) => sum + (c - 1000) ** 2 / 1000, 0)
    expect(chiSquared).toBeLessThan(49.7) // 23 degrees of freedom, p = 0.001
  })

  test.each([1, 2, 3, 255, 256, 257, 258, 513, 2000])(
    'a permutation of %d takes the words of the key in turn',
    (n) => {
      // Fisher and Yates' exchange written out, with twice the words that it takes but for refusals.
      const bits = randomBits(key(21), 2 * n)
      const expected = Array.from({ length: n }, (_, i) => i)
      let next = 0
      for (let i = n - 1; i > 0; i--) {
        const fair = 2 ** 32 - (2 ** 32 % (i + 1))
        while (bits[next]! >= fair) next++
        const j = bits[next++]! % (i + 1)
        ;[expected[i], expected[j]] = [expected[j]!, expected[i]!]
      }
      expect([...permutationValues(key(21), n)]).toEqual(expected)
    },
  )

  test('a count that is none is refused', () => {
    expect(() => randomBits(key(1), -1)).toThrow(
      refusal(RangeError, 'randomBits: the count must be an integer from 0 to 2^32 - 1, got -1'),
    )
    expect(() => normalValues(7 as unknown as Key, 1)).toThrow(
      refusal(TypeError, 'normalValues: expected a key, got a number; make one with key(seed)'),
    )
  })
})

describe('normalQuantile', () => {
  test.each([
    [0.25, -0.6744897501960817],
    [0.001, -3.090232306167813],
    [1e-20, -9.26234008979841],
    [0.975, 1.959963984540054],
    [0.5, 0],
    [1e-300, -37.0471],
  ])('of %d is the published value', (p, z) => {
    expect(Math.abs(normalQuantile(p) - z)).toBeLessThan(
      p === 1e-300 ? 1e-4 : 2e-15 * Math.max(1, Math.abs(z)),
    )
  })

  test('inverts the distribution function and is odd', () => {
    for (let x = -4; x <= 4; x += 0.125) expect(normalQuantile(normalCdf(x))).toBeCloseTo(x, 8)
    for (const p of [0.01, 0.07, 0.0751, 0.3]) {
      expect(normalQuantile(p) + normalQuantile(1 - p)).toBeCloseTo(0, 13)
    }
  })

  test('is infinite at the ends and NaN outside', () => {
    expect([0, 1, -0.1, 1.1, Number.NaN].map(normalQuantile)).toEqual([
      -Infinity,
      Infinity,
      Number.NaN,
      Number.NaN,
      Number.NaN,
    ])
  })
})
