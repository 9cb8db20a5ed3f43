import * as t from '@tapeflow/autodiff'
import { describe, expect, test } from 'vitest'
import {
  fromSafetensors,
  inspectSafetensors,
  linear,
  sequential,
  snapshotsFromSafetensors,
  tanh,
  toSafetensors,
} from '../src/index.ts'
import { bytesOf, refusedFile, safetensorsOf } from './file-bytes.ts'

// What safetensors.numpy.save of Python's library 0.8.0 writes for
//   {'b': f32 [1, 2], 'a.w': f32 [[0, 1, 2], [3, 4, 5]], 'h': f16 [1.5], 'n': i64 [[7]], 'flag': bool [True, False]}
// and metadata {'who': 'python'}, put together from the specification of the format: the length of the header (320) in 8 bytes,
// little-endian; the header, JSON, metadata first, arrays by falling width of their elements and then by name, padded with
// spaces to a multiple of 8; the arrays, row-major, little-endian, without gaps.
const python = bytesOf(
  [0x40, 0x01, 0, 0, 0, 0, 0, 0],
  '{"__metadata__":{"who":"python"},',
  '"n":{"dtype":"I64","shape":[1,1],"data_offsets":[0,8]},',
  '"a.w":{"dtype":"F32","shape":[2,3],"data_offsets":[8,32]},',
  '"b":{"dtype":"F32","shape":[2],"data_offsets":[32,40]},',
  '"h":{"dtype":"F16","shape":[1],"data_offsets":[40,42]},',
  '"flag":{"dtype":"BOOL","shape":[2],"data_offsets":[42,44]}}     ',
  [7, 0, 0, 0, 0, 0, 0, 0],
  // 0, 1, 2 = 0x40000000, 3 = 0x40400000, 4 = 0x40800000, 5 = 0x40a00000
  [0, 0, 0, 0, 0, 0, 0x80, 0x3f, 0, 0, 0, 0x40, 0, 0, 0x40, 0x40, 0, 0, 0x80, 0x40, 0, 0, 0xa0, 0x40],
  [0, 0, 0x80, 0x3f, 0, 0, 0, 0x40],
  // 1.5 in half precision: exponent 15 of bias 15, fraction 0.5
  [0x00, 0x3e],
  [1, 0],
)

describe('a file of Python', () => {
  test('is read', () => {
    const read = fromSafetensors(python)
    expect(Object.fromEntries(Object.entries(read).map(([name, x]) => [name, x.toArray()]))).toEqual({
      n: [[7]],
      'a.w': [
        [0, 1, 2],
        [3, 4, 5],
      ],
      b: [1, 2],
      h: [1.5],
      flag: [1, 0],
    })
    expect(inspectSafetensors(python)).toEqual({
      metadata: { who: 'python' },
      arrays: [
        { name: 'n', dtype: 'I64', shape: [1, 1] },
        { name: 'a.w', dtype: 'F32', shape: [2, 3] },
        { name: 'b', dtype: 'F32', shape: [2] },
        { name: 'h', dtype: 'F16', shape: [1] },
        { name: 'flag', dtype: 'BOOL', shape: [2] },
      ],
    })
  })

  test('is read into a tree, whose number and key have types of their own', () => {
    const like = {
      a: { w: t.zeros([2, 3]) },
      b: t.zeros([2]),
      flag: t.zeros([2]),
      h: t.zeros([1]),
      n: t.zeros([1, 1]),
    }
    expect(fromSafetensors(python, { like }).a.w.toArray()).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ])
    const saved = toSafetensors({ count: 0.1, key: t.key([0xdeadbeef, 7]), nothing: null })
    const back = fromSafetensors(saved, { like: { count: 0, key: t.key(0), nothing: null } })
    expect(back).toEqual({ count: 0.1, key: t.key([0xdeadbeef, 7]), nothing: null })
  })

  test('is written, byte by byte', () => {
    const saved = toSafetensors(
      {
        b: t.tensor([1, 2]),
        a: {
          w: t.tensor([
            [0, 1, 2],
            [3, 4, 5],
          ]),
        },
      },
      { metadata: { who: 'tapeflow' } },
    )
    expect(saved).toEqual(
      bytesOf(
        [0x98, 0, 0, 0, 0, 0, 0, 0],
        '{"__metadata__":{"who":"tapeflow"},',
        '"a.w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},',
        '"b":{"dtype":"F32","shape":[2],"data_offsets":[24,32]}}    ',
        python.subarray(8 + 320 + 8, 8 + 320 + 40),
      ),
    )
  })
})

test('parameters and state of a model come back', () => {
  const model = sequential(linear(3, 4), tanh(), linear(4, 2))
  const saved = toSafetensors(model.init(t.key(1), [3]))
  const { params } = fromSafetensors(saved, { like: model.init(t.key(2), [3]) })
  expect(t.toSnapshot(params)).toEqual(t.toSnapshot(model.init(t.key(1), [3]).params))
})

describe('types of elements', () => {
  const one = (dtype: string, data: number[], options = {}): number[] => [
    ...fromSafetensors(
      safetensorsOf({ x: { dtype, shape: [1], data_offsets: [0, data.length] } }, data),
      options,
    )['x']!.toFloat32Array(),
  ]
  const wide = (dtype: string, write: (view: DataView) => void, options = {}): number[] => {
    const view = new DataView(new ArrayBuffer(8))
    write(view)
    return one(dtype, [...new Uint8Array(view.buffer)], options)
  }

  test('of half precision, all 65,536 of them', () => {
    const bits = Array.from({ length: 65536 }, (_, i) => i)
    const data = bits.flatMap((i) => [i & 255, i >> 8])
    const read = fromSafetensors(
      safetensorsOf({ x: { dtype: 'F16', shape: [65536], data_offsets: [0, 131072] } }, data),
    )['x']!.toFloat32Array()
    const expected = bits.map((i) => {
      const [sign, exponent, fraction] = [i >> 15 ? -1 : 1, (i >> 10) & 31, i & 1023]
      if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
      return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15))
    })
    expect(bits.filter((i) => !Object.is(read[i], expected[i]))).toEqual([])
  })

  test('bfloat16 is the upper half of a float32', () => {
    expect(one('BF16', [0x49, 0x40])).toEqual([3.140625])
  })

  test('integers of each width, signed and not', () => {
    expect(one('U8', [255])).toEqual([255])
    expect(one('I8', [255])).toEqual([-1])
    expect(one('U16', [0, 255])).toEqual([65280])
    expect(one('I16', [0, 255])).toEqual([-256])
    expect(one('U32', [0, 0, 0, 255])).toEqual([4278190080])
    expect(one('I32', [0, 0, 0, 255])).toEqual([-16777216])
    expect(wide('I64', (view) => view.setBigInt64(0, -(2n ** 40n), true))).toEqual([-(2 ** 40)])
    expect(wide('U64', (view) => view.setBigUint64(0, 2n ** 63n, true))).toEqual([2 ** 63])
  })

  test('numbers that float32 does not hold are refused, or rounded when asked', () => {
    const third = (view: DataView): void => view.setFloat64(0, 0.1, true)
    const odd = (view: DataView): void => view.setBigInt64(0, 2n ** 53n + 1n, true)
    const words = (type: string, value: string): Error =>
      refusedFile(
        'fromSafetensors',
        `'x' holds ${type} numbers that float32 does not, the first is ${value} at 0; pass { inexact: 'round' } to round them`,
      )
    expect(() => wide('F64', third)).toThrow(words('F64', '0.1'))
    expect(() => wide('I64', odd)).toThrow(words('I64', '9007199254740993'))
    expect(() => one('I32', [1, 0, 0, 1])).toThrow(words('I32', '16777217'))
    expect(wide('F64', third, { inexact: 'round' })).toEqual([Math.fround(0.1)])
    expect(wide('I64', odd, { inexact: 'round' })).toEqual([2 ** 53])
    expect(one('I32', [1, 0, 0, 1], { inexact: 'round' })).toEqual([16777216])
    expect(wide('F64', (view) => view.setFloat64(0, Number.NaN, true))).toEqual([Number.NaN])
  })

  test('others, and what is no type, are refused', () => {
    for (const type of ['F8_E4M3', 'C64', 'f32', 'constructor']) {
      expect(() => one(type, [0])).toThrow(
        refusedFile('fromSafetensors', `'x' has a dtype that is not read, got '${type}'; save it as F32`),
      )
    }
    expect(() => one('BOOL', [2])).toThrow(
      refusedFile('fromSafetensors', "'x' holds 2 where BOOL has 0 and 1, at 0"),
    )
  })
})

describe('what does not fit', () => {
  test('is listed all at once, and nothing is made', () => {
    const saved = toSafetensors({ a: t.ones([2]), b: t.ones([3]), c: t.ones([1]), k: 5 })
    const like = { a: t.zeros([2]), b: t.zeros([1, 3]), d: [t.zeros([1]), 1], k: t.key(1) }
    const before = t.memory()
    expect(() => fromSafetensors(saved, { like })).toThrow(
      refusedFile(
        'fromSafetensors',
        "names and shapes differ, missing 'd.0', 'd.1' | not expected 'c' | other shapes: 'b' has [3] instead of [1,3], " +
          "'k' has [] instead of [2]; load the file into a tree like the one that it was made from",
      ),
    )
    expect(t.memory()).toEqual(before)
  })

  test('a key is two words', () => {
    expect(() => fromSafetensors(toSafetensors({ k: t.ones([2]) }), { like: { k: t.key(1) } })).toThrow(
      refusedFile(
        'fromSafetensors',
        "names and shapes differ, other shapes: 'k' has F32 where a key has U32; load the file into a tree like the one that it was made from",
      ),
    )
  })

  test('the bytes must be bytes', () => {
    expect(() => fromSafetensors('x' as never)).toThrow(
      'fromSafetensors: the bytes must be a Uint8Array, got a string; wrap an ArrayBuffer: new Uint8Array(buffer)',
    )
  })
})

test('names that no reader should take are not written', () => {
  const x = t.tensor(1)
  const refused = (tree: unknown, problem: string): void =>
    expect(() => toSafetensors(tree)).toThrow(refusedFile('toSafetensors', problem))
  const prototype = JSON.parse('{"__proto__": 0}') as Record<string, unknown>
  refused(prototype, "the name '__proto__' is refused; it would reach into the prototypes of objects")
  refused(
    { a: { constructor: x } },
    "the name 'a.constructor' is refused; it would reach into the prototypes of objects",
  )
  refused({ '\ud800': x }, "the name '\\ud800' is no valid Unicode text; it holds half of a surrogate pair")
  refused({ __metadata__: x }, "the name '__metadata__' is the format's own; rename the leaf")
  expect(() => toSafetensors({ 'a.b': x, a: { b: x } })).toThrow(
    "toSafetensors: two leaves go by the name 'a.b'; leave dots out of keys",
  )
  expect(() => toSafetensors({ a: 'text' })).toThrow(TypeError)
  expect(() => toSafetensors({}, { metadata: { a: 1 as never } })).toThrow(
    refusedFile('toSafetensors', "the metadata 'a' are no text; store JSON"),
  )
})

test('a name of any script and of any sign comes back', () => {
  const tree = { 'β "\\\n': { '😀': t.tensor([1]) }, '': t.tensor([2]) }
  expect(t.toSnapshot(fromSafetensors(toSafetensors(tree), { like: tree }))).toEqual(t.toSnapshot(tree))
})

describe('snapshots', () => {
  test('are written as the tensors are that they were taken of', () => {
    const tree = { b: t.tensor([1, -0]), a: [t.tensor([[Number.NaN]]), null, 3, t.key(4)] }
    expect(toSafetensors(t.toSnapshot(tree))).toEqual(toSafetensors(tree))
  })

  test('keep numbers of any type, bit by bit, and the type', () => {
    const tree = {
      f64: { shape: [2], values: Float64Array.of(0.1, -0) },
      f32: { shape: [1, 2], values: Float32Array.of(0.1, Number.NEGATIVE_INFINITY) },
      i64: { shape: [], values: BigInt64Array.of(-(2n ** 63n)) },
      u64: { shape: [1], values: BigUint64Array.of(2n ** 64n - 1n) },
      i32: { shape: [1], values: Int32Array.of(-(2 ** 31)) },
      u32: { shape: [1], values: Uint32Array.of(2 ** 32 - 1) },
      i16: { shape: [1], values: Int16Array.of(-32768) },
      u16: { shape: [1], values: Uint16Array.of(65535) },
      i8: { shape: [1], values: Int8Array.of(-128) },
      // A view into more.
      u8: { shape: [2], values: Uint8Array.of(1, 2, 3, 4).subarray(1, 3) },
      none: { shape: [0, 3], values: new Float32Array(0) },
    }
    const bytes = toSafetensors(tree)
    const types = inspectSafetensors(bytes).arrays.map(({ name, dtype }) => [name, dtype.toLowerCase()])
    expect(types.filter(([name, type]) => name !== type)).toEqual([['none', 'f32']])
    expect(snapshotsFromSafetensors(bytes)).toEqual({
      ...tree,
      u8: { shape: [2], values: Uint8Array.of(2, 3) },
    })
  })

  test('of a file of Python have the numbers that are there, and no tensor is made', () => {
    const before = t.memory()
    expect(snapshotsFromSafetensors(python)).toEqual({
      n: { shape: [1, 1], values: BigInt64Array.of(7n) },
      'a.w': { shape: [2, 3], values: Float32Array.of(0, 1, 2, 3, 4, 5) },
      b: { shape: [2], values: Float32Array.of(1, 2) },
      h: { shape: [1], values: Float32Array.of(1.5) },
      flag: { shape: [2], values: Uint8Array.of(1, 0) },
    })
    expect(t.memory()).toEqual(before)
  })

  test('are refused where values and shape differ', () => {
    expect(() => toSafetensors({ a: { shape: [3], values: Float32Array.of(1, 2) } })).toThrow(
      "toSafetensors: 'a' has 2 values for the shape [3]; pass what toSnapshot gives",
    )
  })

  test('keep nothing of the file', () => {
    const bytes = toSafetensors({ a: { shape: [1], values: Float32Array.of(1) } })
    const { a } = snapshotsFromSafetensors(bytes)
    bytes.fill(0)
    expect(a).toEqual({ shape: [1], values: Float32Array.of(1) })
  })
})
