import * as t from '@tapeflow/autodiff'
import { strToU8, zipSync } from 'fflate'
import { describe, expect, test } from 'vitest'
import { linear, sequential, tanh } from '../src/index.ts'
import { fromNpz, toNpz } from '../src/npz.ts'
import { bytesOf, refusedFile } from './file-bytes.ts'

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text.replaceAll('\n', '')), (character) => character.charCodeAt(0))
}

// numpy.savez and numpy.savez_compressed of NumPy 2.4.6, of
//   {'layers.0.weight': asfortranarray(float32 [[0, 1, 2], [3, 4, 5]]), 'bias': float64 [0.5, -1], 'n': int64 7}
const saved = fromBase64(`
UEsDBC0AAAAAAAAAIQDOLODT//////////8TABQAbGF5ZXJzLjAud2VpZ2h0Lm5weQEAEACYAAAAAAAAAJgAAAAAAAAAk05VTVBZ
AQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMyksIH0gICAgICAgICAgICAg
ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAABAQAAAgD8AAIBAAAAAQAAAoEBQSwME
LQAAAAAAAAAhALzUuqH//////////wgAFABiaWFzLm5weQEAEACQAAAAAAAAAJAAAAAAAAAAk05VTVBZAQB2AHsnZGVzY3InOiAn
PGY4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAg
ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAADgPwAAAAAAAPC/UEsDBC0AAAAAAAAAIQAjuPBs//////////8F
ABQAbi5ucHkBABAAiAAAAAAAAACIAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2NyJzogJzxpOCcsICdmb3J0cmFuX29yZGVyJzogRmFs
c2UsICdzaGFwZSc6ICgpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg
ICAgICAKBwAAAAAAAABQSwECLQMtAAAAAAAAACEAzizg05gAAACYAAAAEwAAAAAAAAAAAAAAgAEAAAAAbGF5ZXJzLjAud2VpZ2h0
Lm5weVBLAQItAy0AAAAAAAAAIQC81LqhkAAAAJAAAAAIAAAAAAAAAAAAAACAAd0AAABiaWFzLm5weVBLAQItAy0AAAAAAAAAIQAj
uPBsiAAAAIgAAAAFAAAAAAAAAAAAAACAAacBAABuLm5weVBLBQYAAAAAAwADAKoAAABmAgAAAAA=
`)

const compressed = fromBase64(`
UEsDBC0AAAAIAAAAIQDOLODT//////////8TABQAbGF5ZXJzLjAud2VpZ2h0Lm5weQEAEACYAAAAAAAAAFYAAAAAAAAAm+wX6hsQ
ychQxlCtnpJanFykbqWgbpNmoq6joJ6WX1RSlJgXn1+UkgoSDykqTQUKF2ckFqQCuRpGOgrGmjoKtQrkAy4GMHBwYGBosAdiBxCH
gWGBAwBQSwMELQAAAAgAAAAhALzUuqH//////////wgAFABiaWFzLm5weQEAEACQAAAAAAAAAE0AAAAAAAAAm+wX6hsQychQxlCt
npJanFykbqWgbpNmoa6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaRjqaOgq1ChQALgYweGAPoT/sBwBQSwMELQAAAAgA
AAAhACO48Gz//////////wUAFABuLm5weQEAEACIAAAAAAAAAEYAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbpNpoa6joJ6W
X1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkamjoKtQoUAS52BggAAFBLAQItAy0AAAAIAAAAIQDOLODTVgAAAJgAAAATAAAAAAAA
AAAAAACAAQAAAABsYXllcnMuMC53ZWlnaHQubnB5UEsBAi0DLQAAAAgAAAAhALzUuqFNAAAAkAAAAAgAAAAAAAAAAAAAAIABmwAA
AGJpYXMubnB5UEsBAi0DLQAAAAgAAAAhACO48GxGAAAAiAAAAAUAAAAAAAAAAAAAAIABIgEAAG4ubnB5UEsFBgAAAAADAAMAqgAA
AJ8BAAAAAA==
`)

/** A .npy file: header, padded as NumPy does to a multiple of 64, and data. */
function npy(header: string, data: readonly number[], version = 1): Uint8Array {
  const start = version === 1 ? 10 : 12
  const length = Math.ceil((start + header.length + 1) / 64) * 64 - start
  const size = version === 1 ? [length & 255, length >> 8] : [length & 255, length >> 8, 0, 0]
  return bytesOf([0x93], 'NUMPY', [version, 0], size, `${header.padEnd(length - 1)}\n`, data)
}

const archive = (file: Uint8Array, name = 'x.npy'): Uint8Array => zipSync({ [name]: file }, { level: 0 })
const header = (descr: string, shape: string, order = 'False'): string =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`
const four = [0, 0, 0x80, 0x3f]
const read = (file: Uint8Array): unknown => fromNpz(archive(file))['x']!.toArray()

describe('a file of NumPy', () => {
  test.each([
    ['as it is', saved],
    ['compressed', compressed],
  ])('is read, %s', (_, bytes) => {
    const arrays = fromNpz(bytes)
    expect(Object.fromEntries(Object.entries(arrays).map(([name, x]) => [name, x.toArray()]))).toEqual({
      'layers.0.weight': [
        [0, 1, 2],
        [3, 4, 5],
      ],
      bias: [0.5, -1],
      n: 7,
    })
    const like = { layers: [{ weight: t.zeros([2, 3]) }], bias: t.zeros([2]), n: 0 }
    expect(t.toSnapshot(fromNpz(bytes, { like }))).toEqual({
      layers: [{ weight: { shape: [2, 3], values: new Float32Array([0, 1, 2, 3, 4, 5]) } }],
      bias: { shape: [2], values: new Float32Array([0.5, -1]) },
      n: 7,
    })
  })

  test('has headers of version 1, 2 and 3', () => {
    for (const version of [1, 2, 3]) expect(read(npy(header('<f4', '(1,)'), four, version))).toEqual([1])
  })

  test('has shapes in the words of Python', () => {
    expect(read(npy(header('<f4', '()'), four))).toBe(1)
    expect(read(npy(header('<f4', '(1, 1)'), four))).toEqual([[1]])
    expect(read(npy(header('<f4', '(1,1,)'), four))).toEqual([[1]])
    expect(read(npy(header('<f4', '(0, 2)'), []))).toEqual([])
    expect(read(npy("{ 'shape':(1,),'fortran_order':False,'descr':'<f4'}", four))).toEqual([1])
  })

  test('may be in the order of Fortran, with any number of axes', () => {
    // Element (i, j, k) of shape (2, 3, 2) stands at i + 2 j + 6 k.
    const data = Array.from({ length: 12 }, (_, i) => i)
    expect(read(npy(header('|u1', '(2, 3, 2)', 'True'), data))).toEqual([
      [
        [0, 6],
        [2, 8],
        [4, 10],
      ],
      [
        [1, 7],
        [3, 9],
        [5, 11],
      ],
    ])
  })

  test('is written, byte by byte', () => {
    const file = archive(npy(header('<f4', '(1, 1)'), four), 'w.npy')
    const made = toNpz({ w: t.tensor([[1]]) })
    // Beside the date, which is always the same here.
    const undated = (bytes: Uint8Array): number[] =>
      Array.from(bytes, (byte, i) =>
        (i >= 10 && i < 14) || (i >= bytes.length - 61 && i < bytes.length - 57) ? 0 : byte,
      )
    expect(undated(made)).toEqual(undated(file))
    expect(toNpz({ w: t.tensor([[1]]) })).toEqual(made)
  })
})

test('parameters, numbers and keys come back, compressed or not', () => {
  const model = sequential(linear(3, 4), tanh())
  const tree = { ...model.init(t.key(1), [3]), step: 0.1, key: t.key([0xdeadbeef, 7]), none: null }
  for (const compress of [true, false]) {
    const like = { ...model.init(t.key(2), [3]), step: 0, key: t.key(0), none: null }
    expect(t.toSnapshot(fromNpz(toNpz(tree, { compress }), { like }))).toEqual(t.toSnapshot(tree))
  }
})

test('what does not fit is listed all at once', () => {
  expect(() => fromNpz(saved, { like: { bias: t.zeros([3]), m: 1 } })).toThrow(
    refusedFile(
      'fromNpz',
      "names and shapes differ, missing 'm' | not expected 'layers.0.weight', 'n' | other shapes: 'bias' has [2] instead of [3]; " +
        'load the file into a tree like the one that it was made from',
    ),
  )
})

// The central directory of an archive with one file: its name at 46, sizes at 20 and 24.
function directoryAt(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 22 + 16, true)
}

function claiming(size: number, level: 0 | 6): Uint8Array {
  const bytes = zipSync({ 'x.npy': npy(header('<f4', '(1,)'), four) }, { level })
  new DataView(bytes.buffer).setUint32(directoryAt(bytes) + 24, size, true)
  return bytes
}

// Two files of one name: an archive of two, the second renamed in both places.
function twice(name: string): Uint8Array {
  const one = npy(header('<f4', '(1,)'), four)
  const other = `${name.slice(0, -1)}~`
  const bytes = zipSync({ [`${name}.npy`]: one, [`${other}.npy`]: one }, { level: 0 })
  return bytes.map((byte) => (byte === 0x7e ? name.charCodeAt(name.length - 1) : byte))
}

const unread = "'x' has a header that is not read; arrays of one plain type are, not records or objects"
const type = (descr: string, problem: string): string =>
  `'x' has elements of type '${descr}', ${problem}; save x.astype('<f4')`

test.each<[string, Uint8Array, string]>([
  ['no archive', bytesOf('PK'), 'the archive has no directory; is it an .npz file?'],
  [
    'a file of another kind',
    zipSync({ 'x.txt': strToU8('x') }),
    "the archive holds 'x.txt', which is no .npy file",
  ],
  ['a file without its magic', archive(bytesOf('no numpy at all')), "'x' is no .npy file"],
  ['an empty file', archive(bytesOf()), "'x' is no .npy file"],
  [
    'version 4',
    archive(npy(header('<f4', '(1,)'), four, 4)),
    "'x' is a .npy file of version 4, 1 to 3 are read",
  ],
  [
    'a header longer than the file',
    archive(bytesOf([0x93], 'NUMPY', [2, 0, 255, 255, 255, 255], '{}')),
    "'x' has a header of 4294967307 bytes, the file has 14; at most 64 KiB are read",
  ],
  ['big-endian numbers', archive(npy(header('>f4', '(1,)'), four)), type('>f4', 'which is big-endian')],
  [
    'Python objects',
    archive(npy(header('|O', '(1,)'), four)),
    type('|O', 'Python objects, which are never read'),
  ],
  ['complex numbers', archive(npy(header('<c8', '(1,)'), four)), type('<c8', 'which is not read')],
  [
    'records',
    archive(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", four)),
    unread,
  ],
  [
    'a shape that is a number',
    archive(npy(header('<f4', '(1)'), four)),
    "'x' has a shape that is none, got (1)",
  ],
  ['a negative size', archive(npy(header('<f4', '(-1,)'), four)), unread],
  [
    'a code to run',
    archive(npy("{'descr': __import__('os'), 'fortran_order': False, 'shape': (1,), }", four)),
    unread,
  ],
  [
    'an entry twice',
    archive(npy("{'shape': (), 'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", four)),
    unread,
  ],
  ['an entry that is missing', archive(npy("{'descr': '<f4', 'shape': (1,), }", four)), unread],
  [
    'an order that is a text',
    archive(npy("{'descr': '<f4', 'fortran_order': 'F', 'shape': (1,), }", four)),
    unread,
  ],
  [
    'a shape that overflows',
    archive(npy(header('<f4', '(4294967296, 4294967296)'), [])),
    "'x' has a shape whose size overflows",
  ],
  [
    'fewer numbers than the shape says',
    archive(npy(header('<f4', '(2,)'), four)),
    "'x' takes 8 bytes by its shape and type, got 4; the file is damaged",
  ],
  [
    'more numbers than the shape says',
    archive(npy(header('<f4', '()'), [...four, 0])),
    "'x' takes 4 bytes by its shape and type, got 5; the file is damaged",
  ],
  [
    '__proto__',
    archive(npy(header('<f4', '(1,)'), four), 'a.__proto__.npy'),
    "the name 'a.__proto__' is refused; it would reach into the prototypes of objects",
  ],
  ['a name twice', twice('ab'), "the archive names 'ab' twice"],
  ['a bomb', claiming(2 ** 30, 6), "'x' claims 1073741824 bytes out of 72; the file is damaged"],
  ['a size that is not its own', claiming(4, 0), "'x' claims 4 bytes out of 132; the file is damaged"],
])('%s: refused before anything is made', (_, bytes, problem) => {
  const before = t.memory()
  expect(() => fromNpz(bytes)).toThrow(refusedFile('fromNpz', problem))
  expect(t.memory()).toEqual(before)
})

/** An archive of 1 MiB of zeros, which deflate to a thousandth, listed `count` times under other names, and there `copies` times. */
function manyTimes(count: number, copies: number): Uint8Array {
  const one = zipSync({ 'name.npy': new Uint8Array(2 ** 20) }, { level: 9 })
  const at = directoryAt(one)
  const [local, entry, ending] = [one.subarray(0, at), one.subarray(at, one.length - 22), one.slice(-22)]
  const entries = Array.from({ length: count }, (_, i) => {
    const listed = entry.slice()
    listed.set(strToU8(String(1000 + i)), 46)
    new DataView(listed.buffer).setUint32(42, (i % copies) * at, true)
    return listed
  })
  const view = new DataView(ending.buffer)
  for (const place of [8, 10]) view.setUint16(place, count, true)
  view.setUint32(12, count * entry.length, true)
  view.setUint32(16, copies * at, true)
  return bytesOf(...Array.from({ length: copies }, () => local), ...entries, ending)
}

test('arrays that inflate to more than 1 GiB are refused before they are inflated', () => {
  expect(() => fromNpz(manyTimes(1025, 1025))).toThrow(
    refusedFile('fromNpz', 'the arrays inflate to more than 1 GiB; save them without compression'),
  )
})

test('files that share bytes are refused', () => {
  expect(() => fromNpz(manyTimes(2, 1))).toThrow(
    refusedFile('fromNpz', 'files of the archive overlap; the file is damaged'),
  )
})

test('a byte of data that changed is noticed', () => {
  // 152 bytes of the first array begin at 69: 30 of its header in the archive, 19 of its name, 20 of its sizes.
  for (const at of [69 + 128, 69 + 151]) {
    expect(() => fromNpz(saved.with(at, saved[at]! ^ 1))).toThrow(
      refusedFile(
        'fromNpz',
        "'layers.0.weight' has another checksum than the archive says; the file is damaged",
      ),
    )
  }
})

test('every shorter file is refused', () => {
  for (let length = 0; length < saved.length; length++) {
    expect(() => fromNpz(saved.subarray(0, length))).toThrow(
      expect.objectContaining({ name: 'FileError', operation: 'fromNpz' }),
    )
  }
})
