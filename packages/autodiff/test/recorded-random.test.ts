import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'
import { withoutKernel } from '../src/kernels/disabled.ts'
import { type Entry, Tape } from '../src/tape.ts'
import { allocateTensor } from '../src/tensor.ts'
import { threefry2x32, type Words } from '../src/threefry.ts'
import { deriveInto, TracedKey } from '../src/traced-key.ts'
import { inScope } from '../src/tree.ts'

/** What `body` returns with a tape of shapes alone, as compile has it, which is closed after. */
function recording<R>(body: (tape: Tape) => R): R {
  return inScope((scope) => {
    const tape = new Tape(scope, true)
    try {
      return body(tape)
    } finally {
      tape.open = false
    }
  })
}

/** An input of the tape as the function that is recorded sees it: typed as the number that it will be. */
const number = (tape: Tape): number => tape.abstractNumber() as unknown as number
const slotOf = (x: unknown): number => (x as t.Tensor).slot

/** The words of a key before a run, with these inputs and numbers by slot. */
function resolved(key: t.Key, inputs: readonly t.Key[], numbers: ReadonlyMap<number, number>): Words {
  if (!(key instanceof TracedKey)) return { high: key.high, low: key.low }
  const { source } = key
  if (source.kind === 'input') return resolved(inputs[source.index]!, inputs, numbers)
  const cell = resolved(source.parent, inputs, numbers)
  const { count } = source
  deriveInto(cell, cell, typeof count === 'number' ? count : numbers.get(count.slot)!, source.use)
  return cell
}

/** What the kernel of a line writes for these words and numbers. */
function replayed({ operation, attributes, output }: Entry, key: t.Key, numbers: readonly number[]) {
  return t.scope(() => {
    const filled = allocateTensor(output.shape)
    operation.kernel!(filled, [], { ...(attributes as object), keys: [{ ...key }], numbers }, 0)
    return filled.toFloat32Array()
  })
}

const lastEntry = (tape: Tape): Entry => tape.entries[tape.entries.length - 1]!
const word = fc.integer({ min: 0, max: 0xffffffff })
const words = fc.tuple(word, word)

type Step = (key: t.Key, tape: Tape | null, numbers: Map<number, number>) => t.Key
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(fc.nat(3), fc.nat(4)).map(
    ([i, more]): Step =>
      (key) =>
        t.split(key, i + 1 + more)[i]!,
  ),
  word.map(
    (index): Step =>
      (key) =>
        t.foldIn(key, index),
  ),
  fc.string({ maxLength: 7 }).map(
    (text): Step =>
      (key) =>
        t.foldIn(key, text),
  ),
  word.map(
    (index): Step =>
      (key, tape, numbers) => {
        if (tape === null) return t.foldIn(key, index)
        const traced = number(tape)
        numbers.set(slotOf(traced), index)
        return t.foldIn(key, traced)
      },
  ),
)

describe('a key that is recorded', () => {
  it('derives to the very words that a plain key gives', () => {
    const chain = fc.array(step, { maxLength: 8 })
    fc.assert(
      fc.property(words, chain, fc.boolean(), (root, steps, isInput) => {
        const plain = steps.reduce((key, derive) => derive(key, null, new Map()), t.key(root))
        const found = recording((tape) => {
          const numbers = new Map<number, number>()
          const start = isInput ? TracedKey.input(tape, 1) : t.key(root)
          const derived = steps.reduce((key, derive) => derive(key, tape, numbers), start)
          expect(derived).toBeInstanceOf(t.Key)
          if (isInput || numbers.size > 0) expect(derived).toBeInstanceOf(TracedKey)
          return { ...resolved(derived, [t.key(0), t.key(root)], numbers) }
        })
        expect(found).toEqual({ ...plain })
      }),
    )
  })

  it('is a leaf of trees', () => {
    recording((tape) => {
      const key = TracedKey.input(tape, 0)
      const seen: unknown[] = []
      t.visitLeaves({ noise: [key] }, (leaf, path) => seen.push(path, leaf === key))
      expect(seen).toEqual(['noise.0', true])
    })
  })

  const cannot = (operation: string): string =>
    `${operation}: the words of a key cannot be read while its function is recorded: they are known when it runs; derive keys with split and foldIn, and draw with uniform, normal, truncatedNormal, bernoulli or permutation`

  it.each<[string, (key: t.Key) => unknown]>([
    ['high', (key) => key.high],
    ['low', (key) => key.low === 3],
    ['toString', (key) => String(key)],
    ['toString', (key) => `${key}`],
    ['toString', (key) => key.toString()],
    ['high', (key) => JSON.stringify({ key })],
    ['high', (key) => ({ ...key })],
    ['high', (key) => structuredClone(key)],
    ['high', (key) => threefry2x32(key.high, key.low, 0, 0)],
    ['randomBits', (key) => t.randomBits(key, 2)],
    ['uniformValues', (key) => t.uniformValues(key, 0)],
    ['normalValues', (key) => t.normalValues(t.foldIn(key, 'noise'), 2)],
    ['bernoulliValues', (key) => t.bernoulliValues(key, 2, 0.5)],
    ['permutationValues', (key) => t.permutationValues(t.split(key)[1]!, 2)],
  ])('does not give its words away: %s', (operation, read) => {
    recording((tape) => {
      const refused = refusal(() => read(TracedKey.input(tape, 0)))
      expect(refused).toMatchObject({ message: cannot(operation), operation })
    })
  })

  it.each<[string, (key: t.Key) => unknown]>([
    ['foldIn', (key) => t.foldIn(key, 1)],
    ['foldIn', (key) => t.foldIn(key, 'noise')],
    ['split', (key) => t.split(key)],
    ['uniform', (key) => t.uniform(key, [2])],
    ['normal', (key) => t.normal(key, [2])],
    ['truncatedNormal', (key) => t.truncatedNormal(key, [2])],
    ['bernoulli', (key) => t.bernoulli(key, [2])],
    ['permutation', (key) => t.permutation(key, 2)],
    ['normalValues', (key) => t.normalValues(key, 2)],
    ['toString', (key) => String(key)],
    ['low', (key) => key.low],
  ])('is of no use when its recording has ended: %s', (operation, use) => {
    const { key } = recording((tape) => ({ key: TracedKey.input(tape, 0) }))
    expect(refusal(() => use(key))).toMatchObject({
      message: `${operation}: the key belongs to a recording that has ended: it has no words; return it from the function, and use what comes out`,
      operation,
    })
  })

  it.each([-1, 1.5, 2 ** 32, Number.NaN])('meets the index %d when it runs', (index) => {
    const cell = { high: 1, low: 2 }
    const words = `foldIn: the index must be an integer from 0 to 4294967295, got ${index}`
    expect(() => deriveInto(cell, t.key(1), index, 2)).toThrow(
      Object.assign(new RangeError(words), { operation: 'foldIn' }),
    )
    expect(() => t.foldIn(t.key(1), index)).toThrow(words)
    expect(cell).toEqual({ high: 1, low: 2 })
  })
})

/** The RecordingError that `call` throws. */
function refusal(call: () => unknown): t.RecordingError {
  try {
    call()
  } catch (error) {
    if (error instanceof t.RecordingError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

/** Each operation with the numbers it takes: the call, the same on the host, and where numbers may be drawn from. */
const draws: readonly {
  readonly name: string
  readonly call: (key: t.Key, count: number, numbers: readonly number[]) => t.Tensor
  readonly host: (key: t.Key, count: number, numbers: readonly number[]) => ArrayLike<number>
  readonly numbers: fc.Arbitrary<readonly number[]>
}[] = [
  {
    name: 'uniform',
    call: (key, count, [low, high]) => t.uniform(key, [count], low, high),
    host: (key, count, [low, high]) => t.uniformValues(key, count, low, high),
    numbers: fc.tuple(
      fc.double({ min: -9, max: 0.1, noNaN: true }),
      fc.double({ min: 0.2, max: 9, noNaN: true }),
    ),
  },
  {
    name: 'normal',
    call: (key, count, [mean, deviation]) => t.normal(key, [count], mean, deviation),
    host: (key, count, [mean, deviation]) => t.normalValues(key, count).map((z) => mean! + deviation! * z),
    numbers: fc.tuple(
      fc.double({ min: -9, max: 9, noNaN: true }),
      fc.double({ min: 0, max: 9, noNaN: true }),
    ),
  },
  {
    name: 'truncatedNormal',
    call: (key, count, [mean, deviation]) => t.truncatedNormal(key, [count], mean, deviation),
    host: (key, count, [mean, deviation]) =>
      t
        .truncatedNormal(key, [count])
        .toFloat32Array()
        .map((z) => mean! + deviation! * z),
    numbers: fc.tuple(
      fc.double({ min: -9, max: 9, noNaN: true }),
      fc.double({ min: 0, max: 9, noNaN: true }),
    ),
  },
  {
    name: 'bernoulli',
    call: (key, count, [p]) => t.bernoulli(key, [count], p),
    host: (key, count, [p]) => t.bernoulliValues(key, count, p!),
    numbers: fc.tuple(fc.double({ min: 0, max: 1, noNaN: true })),
  },
  {
    name: 'permutation',
    call: (key, count) => t.permutation(key, count),
    host: (key, count) => t.permutationValues(key, count),
    numbers: fc.constant([]),
  },
]

const counts = fc.oneof(fc.nat(20), fc.constantFrom(255, 256, 257, 1000))

describe.each(draws)('$name', ({ name, call, host, numbers }) => {
  it('fills the heap with the bits that the host draws, by its kernel and by its reference', () => {
    fc.assert(
      fc.property(words, counts, numbers, (root, count, given) => {
        const key = t.key(root)
        t.scope(() => {
          const expected = Float32Array.from(host(key, count, given))
          expect(call(key, count, given).toFloat32Array()).toEqual(expected)
          expect(withoutKernel(name, () => call(key, count, given)).toFloat32Array()).toEqual(expected)
        })
      }),
    )
  })

  it('writes its output and nothing beside it', () => {
    t.scope(() => {
      const around = t.full([48], 7)
      const inside = t.slice(around, 16, 33)
      const given = fc.sample(numbers, { seed: 1, numRuns: 1 })[0]!
      const entry = recording((tape) => {
        call(TracedKey.input(tape, 0), 17, given)
        return lastEntry(tape)
      })
      const resolvedAttributes = { keys: [{ ...t.key(3) }], numbers: given, shape: [17] }
      entry.operation.kernel!(inside, [], resolvedAttributes, 0)
      const found = around.toFloat32Array()
      expect(found.subarray(16, 33)).toEqual(Float32Array.from(host(t.key(3), 17, given)))
      expect([...found.subarray(0, 16), ...found.subarray(33)]).toEqual(new Array(31).fill(7))
    })
  })

  it('is a line of the tape where its key or one of its numbers is traced, and gives the same bits when it runs', () => {
    const mask = fc.array(fc.boolean(), { minLength: 3, maxLength: 3 })
    fc.assert(
      fc.property(words, counts, numbers, mask, (root, count, given, [isKeyTraced, ...isTraced]) => {
        const key = t.key(root)
        const before = t.memory()
        recording((tape) => {
          const traced = given.map((value, i) => (isTraced[i] ? number(tape) : value))
          const used =
            isKeyTraced || traced.every((x) => typeof x === 'number') ? TracedKey.input(tape, 0) : key
          const lines = tape.entries.length
          const made = call(used, count, traced)
          expect(tape.entries.length).toBe(lines + 1)
          const entry = lastEntry(tape)
          expect(entry).toMatchObject({ operation: { name }, inputs: [] })
          expect(entry.output).toBe(made)
          expect(made).toMatchObject({ shape: [count], offset: -2, slot: lines })
          const attributes = entry.attributes as { keys: unknown[]; numbers: unknown[]; shape: t.Shape }
          expect(attributes.keys[0]).toBe(used)
          expect(attributes.numbers.every((x, i) => x === traced[i])).toBe(true)
          expect(attributes.shape).toEqual([count])
          expect(replayed(entry, key, given)).toEqual(
            Float32Array.from(t.scope(() => host(key, count, given))),
          )
        })
        expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
      }),
      { numRuns: 50 },
    )
  })
})

describe('a random tensor that is recorded', () => {
  it('is a constant to the gradients inside', () => {
    recording((tape) => {
      const key = TracedKey.input(tape, 0)
      const x = tape.abstractInput([3])
      const gradient = t.grad((y: t.Tensor) => t.sum(t.mul(t.square(y), t.normal(key, [3]))))(x)
      expect(gradient).toMatchObject({ shape: [3], offset: -2 })
      const names = tape.entries.map((entry) => entry?.operation.name)
      expect(names.filter((name) => name === 'normal')).toEqual(['normal'])
    })
  })

  it('belongs to the recording, not to the scope or the gradient in which it is drawn', () => {
    recording((tape) => {
      const key = TracedKey.input(tape, 0)
      const kept = t.scope(() => t.uniform(key, [2]))
      expect(t.add(kept, 1).shape).toEqual([2])
      const rate = number(tape)
      t.grad((p: { w: t.Tensor; rate: number }) => t.sum(t.mul(p.w, t.bernoulli(key, [2], p.rate))))({
        w: tape.abstractInput([2]),
        rate,
      })
      const line = tape.entries.find((entry) => entry?.operation.name === 'bernoulli')
      expect((line!.attributes as { numbers: unknown[] }).numbers[0]).toBe(rate)
    })
  })

  const passed = 'compute it outside, and pass it as a number'
  it.each<[string, (key: t.Key, tape: Tape) => unknown]>([
    [
      `foldIn: the index must be a number passed as an argument, got a computed value of shape [] while its function is recorded; ${passed}`,
      (key, tape) => t.foldIn(key, t.add(tape.abstractInput([]), 1) as unknown as number),
    ],
    [
      `foldIn: the index must be a number passed as an argument, got a tensor of shape [3] while its function is recorded; ${passed}`,
      (_, tape) => t.foldIn(t.key(1), tape.abstractInput([3]) as unknown as number),
    ],
    [
      `uniform: low must be a number passed as an argument, got a tensor of shape [] while its function is recorded; ${passed}`,
      (key, tape) => t.uniform(key, [2], tape.abstractInput([]) as unknown as number),
    ],
    [
      `foldIn: the index must be a number passed as an argument, got a tensor of shape [] while its function is recorded; ${passed}`,
      (key, tape) => {
        t.grad((x: t.Tensor) => {
          t.foldIn(key, x as unknown as number)
          return x
        })(tape.abstractInput([]))
      },
    ],
    [
      `uniform: high must be a number passed as an argument, got a computed value of shape [] while its function is recorded; ${passed}`,
      (key, tape) => t.uniform(key, [2], 0, t.exp(tape.abstractInput([])) as unknown as number),
    ],
    [
      `normal: standardDeviation must be a number passed as an argument, got a computed value of shape [] while its function is recorded; ${passed}`,
      (_, tape) => t.normal(t.key(1), [2], 0, t.exp(tape.abstractInput([])) as unknown as number),
    ],
    [
      'key: a seed that is passed as an argument is not known while its function is recorded; pass key(seed) as the argument',
      (_, tape) => t.key(number(tape)),
    ],
    [
      'uniform: its arguments belong to two recordings, one inside the other; pass all of them to the inner function',
      (key) => recording((inner) => t.uniform(key, [2], number(inner))),
    ],
    [
      'foldIn: its arguments belong to two recordings, one inside the other; pass all of them to the inner function',
      (key) => recording((inner) => t.foldIn(key, number(inner))),
    ],
    [
      'foldIn: a value of shape [] is used after the recording of its function: it was only a shape; return it, and use the result',
      (key) => {
        const [index] = recording((inner) => [number(inner)])
        return t.foldIn(key, index!)
      },
    ],
  ])('is refused: %s', (message, call) => {
    recording((tape) => {
      expect(refusal(() => call(TracedKey.input(tape, 0), tape))).toMatchObject({
        message,
        operation: message.split(':')[0],
      })
      expect(tape.entries.filter((entry) => entry?.inputs.length === 0)).toEqual([])
    })
  })

  it('takes a tensor with values for no number, traced by a gradient or not', () => {
    const words = 'normal: mean must be a number, got a Tensor; pass it by position'
    const draw = (x: t.Tensor): t.Tensor => t.normal(t.key(1), [2], x as unknown as number)
    expect(() => draw(t.tensor(1))).toThrow(words)
    expect(() => t.grad((x: t.Tensor) => t.sum(draw(x)))(t.tensor(1))).toThrow(words)
    expect(() => t.foldIn(t.key(1), t.tensor(1) as unknown as number)).toThrow(
      'foldIn: the index must be a number or a string, got a Tensor',
    )
  })

  it('is refused before memory is taken', () => {
    const before = t.memory()
    expect(() => t.uniform(t.key(1), [2 ** 26], 2, 1)).toThrow('uniform: low must be below high')
    expect(() => t.bernoulli(t.key(1), [2 ** 26], -1)).toThrow(
      'bernoulli: the probability must lie in [0, 1]',
    )
    expect(() => t.normal(t.key(1), [2 ** 26], Number.NaN)).toThrow('normal: mean must be finite')
    expect(t.memory()).toEqual(before)
  })

  // The same numbers when it is computed now, and when they come with a run.
  it.each<[string, (key: t.Key, numbers: readonly number[]) => t.Tensor, readonly number[]]>([
    [
      'uniform: low must be below high and both finite, got low 2 and high 1',
      (key, [low, high]) => t.uniform(key, [2], low, high),
      [2, 1],
    ],
    [
      'uniform: no finite float32 number lies in [low, high), got low 16777216.25 and high 16777216.75',
      (key, [low, high]) => t.uniform(key, [2], low, high),
      [16777216.25, 16777216.75],
    ],
    [
      'uniform: high must be finite, got Infinity',
      (key, [low, high]) => t.uniform(key, [2], low, high),
      [0, Number.POSITIVE_INFINITY],
    ],
    ['normal: mean must be finite, got NaN', (key, [mean]) => t.normal(key, [2], mean), [Number.NaN]],
    [
      'truncatedNormal: standardDeviation must be finite, got -Infinity',
      (key, [mean, deviation]) => t.truncatedNormal(key, [2], mean, deviation),
      [0, Number.NEGATIVE_INFINITY],
    ],
    ['bernoulli: the probability must lie in [0, 1], got 1.5', (key, [p]) => t.bernoulli(key, [2], p), [1.5]],
  ])('has the same errors in either mode: %s', (message, call, numbers) => {
    const words = Object.assign(new RangeError(message), { operation: message.split(':')[0] })
    expect(() => call(t.key(1), numbers)).toThrow(words)
    recording((tape) => {
      const traced = numbers.map(() => number(tape))
      call(TracedKey.input(tape, 0), traced)
      // Normal has its second number by default.
      const { attributes } = lastEntry(tape) as { attributes: { numbers: unknown[] } }
      const given = attributes.numbers.map((x, i) => (typeof x === 'number' ? x : numbers[i]!))
      expect(() => replayed(lastEntry(tape), t.key(1), given)).toThrow(words)
    })
  })
})
