import * as t from '@tapeflow/autodiff'
import { expect, test } from 'vitest'
import { fromSafetensors, toSafetensors } from '../src/index.ts'
import { bytesOf, refusedFile, safetensorsOf } from './file-bytes.ts'

const f32 = (shape: unknown, data_offsets: unknown): unknown => ({ dtype: 'F32', shape, data_offsets })
const four = [0, 0, 0, 0]
const offsets = (count: number): string =>
  `'x' has data_offsets that are not in the ${count} bytes of data; the file is truncated or damaged`
const notJson = 'the header is no JSON in UTF-8; the file is damaged'
const prototypes = (name: string): string =>
  `the name '${name}' is refused; it would reach into the prototypes of objects`

test.each<[string, Uint8Array, string]>([
  ['no bytes', bytesOf(), 'the file has 0 bytes, at least 8 are needed; is it a safetensors file?'],
  [
    'a header of 100 MB',
    safetensorsOf('{}', [], 100_000_000n),
    'the header would have 100000000 bytes, at most 10 MB are read; is it a safetensors file?',
  ],
  [
    'a header of 2^64 - 1 bytes',
    safetensorsOf('{}', [], 2n ** 64n - 1n),
    'the header would have 18446744073709551615 bytes, at most 10 MB are read; is it a safetensors file?',
  ],
  [
    'a header that is not there',
    safetensorsOf('{}', [], 9n),
    'the header has 9 bytes, but only 2 follow; the file is truncated',
  ],
  ['no header', safetensorsOf(''), 'the header does not begin with {; is it a safetensors file?'],
  ['a list', safetensorsOf('[]'), 'the header does not begin with {; is it a safetensors file?'],
  ['no JSON', safetensorsOf('{"x":'), notJson],
  [
    'numbers that JSON lacks',
    safetensorsOf('{"x":{"dtype":"F32","shape":[1],"data_offsets":[NaN,4]}}', four),
    notJson,
  ],
  ['no UTF-8', safetensorsOf('{"x":0}').with(10, 0xff), notJson],
  ['a name twice', safetensorsOf('{"x":1,"\\u0078":2}'), "the header names 'x' twice"],
  [
    'a dtype twice',
    safetensorsOf('{"x":{"dtype":"F32","dtype":"F64","shape":[1],"data_offsets":[0,4]}}', four),
    "the header names 'dtype' twice",
  ],
  ['__proto__', safetensorsOf('{"__proto__":{"dtype":"F32"}}'), prototypes('__proto__')],
  [
    'constructor',
    safetensorsOf({ 'a.constructor.b': f32([1], [0, 4]) }, four),
    prototypes('a.constructor.b'),
  ],
  ['__proto__ in metadata', safetensorsOf('{"__metadata__":{"__proto__":"x"}}'), prototypes('__proto__')],
  [
    'half of a surrogate pair',
    safetensorsOf('{"\\udc00":{}}'),
    "the name '\\udc00' is no valid Unicode text; it holds half of a surrogate pair",
  ],
  [
    'metadata that are no texts',
    safetensorsOf({ __metadata__: { a: [1] } }),
    "the metadata 'a' are no text; store JSON",
  ],
  ['metadata that are a list', safetensorsOf({ __metadata__: [] }), 'the metadata are no object of texts'],
  ['an entry that is null', safetensorsOf({ x: null }), "'x' is not described by an object"],
  [
    'an entry whose dtype would be inherited',
    safetensorsOf('{"x":{"__proto__":{"dtype":"F32"},"shape":[1],"data_offsets":[0,4]}}', four),
    "'x' has a dtype that is not read, got none; save it as F32",
  ],
  ['no shape', safetensorsOf({ x: f32(undefined, [0, 4]) }, four), "'x' has no shape"],
  ...[[-1], [0.5], ['1'], [null], [2 ** 53]].map((shape): [string, Uint8Array, string] => [
    `shape ${JSON.stringify(shape)}`,
    safetensorsOf({ x: f32(shape, [0, 4]) }, four),
    "'x' has a shape that is none; sizes must be integers from 0 on",
  ]),
  [
    'a shape whose product overflows to 0 in 64 bits',
    safetensorsOf({ x: f32([2 ** 32, 2 ** 32], [0, 0]) }),
    "'x' has a shape whose size overflows",
  ],
  ['no offsets', safetensorsOf({ x: f32([1], undefined) }, four), offsets(4)],
  ['three offsets', safetensorsOf({ x: f32([1], [0, 4, 4]) }, four), offsets(4)],
  ['offsets that fall', safetensorsOf({ x: f32([1], [4, 0]) }, four), offsets(4)],
  ['negative offsets', safetensorsOf({ x: f32([1], [-4, 0]) }, four), offsets(4)],
  [
    'an offset that is infinite',
    safetensorsOf('{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,1e999]}}', four),
    offsets(4),
  ],
  ['offsets beyond the data', safetensorsOf({ x: f32([2], [0, 8]) }, four), offsets(4)],
  [
    'offsets that do not fit the shape',
    safetensorsOf({ x: f32([2], [0, 4]) }, four),
    "'x' takes 8 bytes by its shape and dtype, got 4",
  ],
  [
    'offsets that hold more than the shape',
    safetensorsOf({ x: f32([1], [0, 8]) }, [...four, ...four]),
    "'x' takes 4 bytes by its shape and dtype, got 8",
  ],
  [
    'arrays that overlap',
    safetensorsOf({ x: f32([2], [0, 8]), y: f32([1], [4, 8]) }, [...four, ...four]),
    "'y' overlaps the array before it, it begins at 4 and not at 8",
  ],
  [
    'two arrays in one place',
    safetensorsOf({ x: f32([1], [0, 4]), y: f32([1], [0, 4]) }, four),
    "'y' overlaps the array before it, it begins at 0 and not at 4",
  ],
  [
    'a gap',
    safetensorsOf({ x: f32([1], [0, 4]), y: f32([1], [8, 12]) }, [...four, ...four, ...four]),
    "'y' leaves a gap before it, it begins at 8 and not at 4",
  ],
  [
    'bytes behind the last array',
    safetensorsOf({ x: f32([1], [0, 4]) }, [...four, 1]),
    'the arrays end at byte 4 of the data, which has 5; the file is damaged',
  ],
])('%s: refused before anything is made', (_, bytes, problem) => {
  const before = t.memory()
  expect(() => fromSafetensors(bytes)).toThrow(refusedFile('fromSafetensors', problem))
  expect(t.memory()).toEqual(before)
})

test('every shorter file is refused', () => {
  const whole = toSafetensors({ a: t.ones([3]), b: { c: t.ones([2]) } }, { metadata: { who: 'me' } })
  const before = t.memory()
  for (let length = 0; length < whole.length; length++) {
    expect(() => fromSafetensors(whole.subarray(0, length))).toThrow(
      expect.objectContaining({ name: 'FileError', operation: 'fromSafetensors' }),
    )
  }
  expect(t.memory()).toEqual(before)
})

test('a long name is cut in the error, and cannot forge one', () => {
  const name = `x'\n${'y'.repeat(1000)}`
  expect(() => fromSafetensors(safetensorsOf({ [name]: null }))).toThrow(
    refusedFile('fromSafetensors', `'x\\'\\n${'y'.repeat(115)}…' is not described by an object`),
  )
})

test('a header of 3 MB in one text is read', () => {
  const metadata = { text: 'a\\"'.repeat(500_000) }
  expect(fromSafetensors(toSafetensors({}, { metadata }))).toEqual({})
})

test('a header nested a hundred thousand deep is refused', () => {
  const bytes = safetensorsOf(`{"x":${'['.repeat(1e5)}${']'.repeat(1e5)}}`)
  expect(() => fromSafetensors(bytes)).toThrow(
    refusedFile('fromSafetensors', "'x' is not described by an object"),
  )
})
