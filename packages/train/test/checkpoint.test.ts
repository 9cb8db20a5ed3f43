import * as t from '@tapeflow/autodiff'
import {
  batchNorm,
  inspectSafetensors,
  linear,
  meanAbsoluteError,
  mse,
  sequential,
  snapshotsFromSafetensors,
  tanh,
  toSafetensors,
} from '@tapeflow/nn'
import { adam } from '@tapeflow/optim'
import fc from 'fast-check'
import { lastValueFrom } from 'rxjs'
import { beforeAll, describe, expect, test } from 'vitest'
import { type CheckpointError, fit, fromCheckpoint, type RunSnapshot, toCheckpoint } from '../src/index.ts'
import { checksumAt, checksummed } from './crc.ts'
import { surface } from './small.ts'

const long = import.meta.env['LONG'] === '1'

let run: RunSnapshot
beforeAll(async () => {
  const model = sequential(linear(2, 8), batchNorm(), tanh(), linear(8, 1))
  const data = surface(24).batch(8)
  const optimizer = adam({ learningRate: 0.01 })
  const end = await lastValueFrom(
    fit(model, { data, validation: data, loss: mse(), optimizer, metrics: [meanAbsoluteError()], epochs: 2 }),
  )
  if (end.type !== 'end') throw new Error(end.type)
  run = end.result
})

/** The problem that is told of a file; null where it is read. */
function problemOf(bytes: Uint8Array): string | null {
  try {
    fromCheckpoint(bytes)
    return null
  } catch (error) {
    const { name, operation, problem } = error as CheckpointError
    expect({ name, operation }).toEqual({ name: 'CheckpointError', operation: 'fromCheckpoint' })
    return problem
  }
}

/** The same run with something in it that a callback keeps. */
const keeping = (value: unknown): RunSnapshot => ({ ...run, kept: { '0.test.value': value } })

describe('a run comes back', () => {
  test('with all that it has, and no tensor is made', () => {
    const before = t.memory()
    const bytes = toCheckpoint(run)
    expect(fromCheckpoint(bytes)).toStrictEqual(run)
    expect(t.memory()).toEqual(before)
    expect(toCheckpoint(fromCheckpoint(bytes))).toEqual(bytes)
  })

  test('with arrays of any bits: NaNs of every payload too', () => {
    const words = Uint32Array.of(0x7fc00001, 0xffc12345, 0x7f800001, 0x80000000, 0x00000001, 0xff800000)
    const values = new Float32Array(words.buffer)
    const back = fromCheckpoint(toCheckpoint({ ...run, params: { w: { shape: [6], values } } }))
    const { w } = back.params as { readonly w: t.Snapshot }
    expect(new Uint32Array(w.values.buffer)).toEqual(words)
  })

  test.each<[string, unknown]>([
    ['numbers that JSON lacks', [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 5e-324]],
    ['undefined, null, holes', [undefined, null, { a: undefined }, Array(3)]],
    ['big integers and dates', [2n ** 80n, new Date(12345)]],
    [
      'maps and sets',
      new Map<unknown, unknown>([
        ['a', new Set([1, '1'])],
        [Number.NaN, {}],
      ]),
    ],
    [
      'arrays of every type',
      [
        Float32Array.of(1.5, -0),
        Float64Array.of(0.1, Number.NaN),
        Int8Array.of(-1),
        Uint8Array.of(255, 1, 2).subarray(1),
        Uint8ClampedArray.of(7),
        Int16Array.of(-300),
        Uint16Array.of(65535),
        Int32Array.of(-(2 ** 31)),
        Uint32Array.of(2 ** 32 - 1),
        BigInt64Array.of(-(2n ** 63n)),
        BigUint64Array.of(2n ** 64n - 1n),
        new Float32Array(0),
      ],
    ],
    [
      'snapshots within snapshots',
      { best: { params: { a: { shape: [2, 1], values: Float32Array.of(1, 2) } } } },
    ],
    ['keys', { key: t.key([0xdeadbeef, 7]) }],
    ['texts of any characters', ['', 'ä😀\u2028"\\\n\u0000', '\ud800', '</script>']],
    ['names that look like others', { Numbers: ['kept.0'], Key: [1, 2], kept: [Float32Array.of(1)] }],
    ['objects without a prototype', Object.assign(Object.create(null), { a: 1 })],
  ])('with what callbacks keep: %s', (_, value) => {
    expect(fromCheckpoint(toCheckpoint(keeping(value))).kept).toStrictEqual({ '0.test.value': value })
  })

  test('with anything that can be cloned', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withNullPrototype: true,
      withSparseArray: true,
      maxDepth: 3,
    })
    const survives = fc.property(anything, (value) => {
      fc.pre(!JSON.stringify(names(value)).includes('__proto__'))
      expect(fromCheckpoint(toCheckpoint(keeping(value))).kept).toStrictEqual({ '0.test.value': value })
    })
    fc.assert(survives, { numRuns: long ? 5000 : 200, seed: 20261126 })
  })

  test('with one object in two places', () => {
    const inner = { values: Float64Array.of(1) }
    const { kept } = fromCheckpoint(toCheckpoint(keeping([inner, inner])))
    const [a, b] = kept['0.test.value'] as readonly unknown[]
    expect(a).toBe(b)
  })
})

/** All property names in something. */
function names(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return []
  if (value instanceof Map || value instanceof Set) return [...value].flatMap(names)
  return Object.entries(value).flatMap(([name, inner]) => [name, ...names(inner)])
}

test('other programs find arrays by their paths, and what the file is in its metadata', () => {
  const bytes = toCheckpoint({
    ...keeping([Float64Array.of(1, 2)]),
    programs: { '8,2': 'abc' },
    numerics: 'relaxed',
  })
  const { metadata, arrays } = inspectSafetensors(bytes)
  expect(metadata).toEqual({
    checksum: expect.stringMatching(/^[\da-f]{8}$/),
    format: 'tapeflow run',
    version: '1',
    library: expect.stringMatching(/^\d+\.\d+\.\d+/),
    numerics: 'relaxed',
    programs: '{"8,2":"abc"}',
    step: '6',
    epoch: '2',
  })
  const shapes = Object.fromEntries(arrays.map(({ name, dtype, shape }) => [name, `${dtype} ${shape}`]))
  expect(shapes).toMatchObject({
    'params.layers.0.weight': 'F32 2,8',
    'slots.m.layers.0.weight': 'F32 2,8',
    'slots.v.layers.3.bias': 'F32 1',
    'kept.0': 'F64 2',
    run: expect.stringMatching(/^U8 /),
  })
  const { 'params.layers.3.bias': bias } = snapshotsFromSafetensors(bytes)
  expect(bias).toEqual((run.params as { layers: { bias: unknown }[] }).layers[3]!.bias)
  expect(checksummed(bytes)).toEqual(bytes)
})

describe('what is damaged is found', () => {
  test('whichever byte has become another, wherever it was cut, and whatever was appended', () => {
    const bytes = toCheckpoint({
      ...run,
      params: { w: { shape: [2], values: Float32Array.of(1, 2) } },
      state: null,
      slots: {},
      history: [],
    })
    const survivors: string[] = []
    for (let at = 0; at < bytes.length; at++) {
      const to = (at * 37) % 255
      const flipped = bytes.with(at, (bytes[at]! + 1 + to) % 256)
      if (problemOf(flipped) !== 'damaged') survivors.push(`byte ${at}`)
      if (problemOf(bytes.subarray(0, at)) !== 'damaged') survivors.push(`${at} bytes`)
    }
    if (problemOf(Uint8Array.of(...bytes, 0)) !== 'damaged') survivors.push('one more')
    expect(survivors).toEqual([])
    expect(problemOf(bytes)).toBeNull()
  })

  test('any bits, of a larger file', () => {
    const bytes = toCheckpoint({
      ...run,
      slots: { m: { shape: [50_000], values: new Float32Array(50_000) } },
    })
    const bits = fc.array(fc.integer({ min: 0, max: 8 * bytes.length - 1 }), { minLength: 1, maxLength: 3 })
    const damaged = fc.property(bits, (flips) => {
      const changed = Uint8Array.from(bytes)
      for (const flip of flips) changed[flip >> 3]! ^= 1 << (flip & 7)
      expect(problemOf(changed)).toBe(changed.every((byte, i) => byte === bytes[i]) ? null : 'damaged')
    })
    fc.assert(damaged, { numRuns: long ? 2000 : 100, seed: 20261126 })
  })

  test.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['zeros, as files have them after a crash', new Uint8Array(5000)],
    ['another safetensors file', toSafetensors({ a: { shape: [1], values: Float32Array.of(1) } })],
  ])('and what is none: %s', (_, bytes) => {
    expect(problemOf(bytes)).toBe('damaged')
  })
})

/** A file whose checksum is right. */
const intact = (tree: unknown, metadata: Readonly<Record<string, string>>): Uint8Array =>
  checksummed(toSafetensors(tree, { metadata: { checksum: '00000000', ...metadata } }))
const text = (words: string): unknown => {
  const values = new TextEncoder().encode(words)
  return { run: { shape: [values.length], values } }
}
const first = { format: 'tapeflow run', version: '1' }

test('a file of a newer format says what to do', () => {
  const metadata = { format: 'tapeflow run', version: '2', library: '3.1.0' }
  expect(() => fromCheckpoint(intact({ whatever: 1 }, metadata))).toThrow(
    expect.objectContaining({
      problem: 'newer',
      message:
        'fromCheckpoint: the file was written by a newer Tapeflow (3.1.0), in format 2, this one reads up to 1; update @tapeflow/train',
    }),
  )
  expect(problemOf(intact({}, { ...metadata, version: '10' }))).toBe('newer')
})

test.each<[string, Uint8Array, string]>([
  ['of another kind', intact({}, { format: 'mine', version: '1' }), 'it says that it is "mine", version "1"'],
  [
    'of no version',
    intact({}, { format: 'tapeflow run' }),
    'it says that it is "tapeflow run", version undefined',
  ],
  ['of version 0', intact({}, { ...first, version: '0' }), 'it says that it is "tapeflow run", version "0"'],
  [
    'of version 1e9',
    intact({}, { ...first, version: '1e9' }),
    'it says that it is "tapeflow run", version "1e9"',
  ],
  ['without the text', intact({}, first), 'it has no array "run"'],
  [
    'with numbers in its place',
    intact({ run: { shape: [1], values: Float32Array.of(1) } }, first),
    'its array run is no text',
  ],
  ['with no JSON', intact(text('{'), first), ''],
  ['with no UTF-8', intact({ run: { shape: [1], values: Uint8Array.of(255) } }, first), ''],
  ['of no run', intact(text('[[1],2]'), first), 'its text is not of a run'],
  ['of nothing', intact(text('-1'), first), 'its text is not of a run'],
  [
    'with an array that is not there',
    intact(text('[["Numbers",1],"params.w"]'), first),
    'it has no array "params.w"',
  ],
  [
    'with an array of Object',
    intact(text('[["Numbers",1],"constructor"]'), first),
    'it has no array "constructor"',
  ],
  [
    'with a prototype',
    intact(text('[{"__proto__":1},{"step":2},3]'), first),
    'Cannot parse an object with a `__proto__` property',
  ],
  ['with a key that is none', intact(text('[["Key",1],[2,2],"x"]'), first), ''],
  ['with unknown words', intact(text('[["Function",1],"return 1"]'), first), 'Unknown type Function'],
  ['nested deeply', intact(text('['.repeat(1e5) + ']'.repeat(1e5)), first), ''],
])('a file is refused that is intact, but %s', (_, bytes, problem) => {
  const before = t.memory()
  expect(() => fromCheckpoint(bytes)).toThrow(
    `fromCheckpoint: the file is intact, but no run can be read from it: ${problem}`,
  )
  expect(problemOf(bytes)).toBe('unreadable')
  expect(t.memory()).toEqual(before)
})

test('what is said to be huge is refused before there is room made for it', () => {
  const header = (shape: readonly number[]): string =>
    `{"__metadata__":{"checksum":"00000000","format":"tapeflow run","version":"1"},"run":{"dtype":"U8","shape":[${shape}],"data_offsets":[0,${shape[0]}]}}`
  for (const shape of [[2 ** 40], [2 ** 53 - 1]]) {
    const words = new TextEncoder().encode(header(shape))
    const bytes = new Uint8Array(8 + words.length)
    new DataView(bytes.buffer).setBigUint64(0, BigInt(words.length), true)
    bytes.set(words, 8)
    expect(problemOf(checksummed(bytes))).toBe('unreadable')
  }
  // Sparse: 4 billion elements in 12 bytes.
  const sparse = fromCheckpoint(
    intact(text('[{"step":1,"measured":2,"kept":3},0,{},[-7,4294967295]]'), first),
  )
  expect((sparse.kept as unknown as unknown[]).length).toBe(4294967295)
})

test('what is no plain data is not written', () => {
  expect(() => toCheckpoint(keeping({ f: () => 1 }))).toThrow(
    expect.objectContaining({
      name: 'CheckpointError',
      problem: 'unwritable',
      message:
        'toCheckpoint: the run cannot be written: Cannot stringify a function at .kept["0.test.value"].f; keep plain data',
    }),
  )
  expect(() => toCheckpoint(keeping(new Error('no')))).toThrow('Cannot stringify arbitrary non-POJOs')
  expect(() => fromCheckpoint('text' as never)).toThrow(
    'fromCheckpoint: the bytes must be a Uint8Array, got a string; pass what toCheckpoint gave',
  )
})

test('the checksum stands where it is said to stand', () => {
  const bytes = toCheckpoint(run)
  const words = String.fromCharCode(...bytes.subarray(8, checksumAt))
  expect(words).toBe('{"__metadata__":{"checksum":"')
})
