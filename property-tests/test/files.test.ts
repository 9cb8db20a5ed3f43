import * as t from '@tapeflow/autodiff'
import {
  batchNorm,
  FileError,
  fromSafetensors,
  inspectSafetensors,
  linear,
  sequential,
  tanh,
  toSafetensors,
} from '@tapeflow/nn'
import { loadModel, toModelFile } from '@tapeflow/nn/model'
import { fromNpz, toNpz } from '@tapeflow/nn/npz'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keys, type SnapshotTree, trees } from '../src/index.ts'
import { assertProperty } from './runs.ts'

/** Tensors of any bits: NaNs of every payload, infinities, subnormals, -0; also without elements. */
const anyBits: fc.Arbitrary<t.Snapshot> = fc
  .array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 })
  .chain((shape) =>
    fc
      .array(fc.integer({ min: 0, max: 0xffffffff }), {
        minLength: t.sizeOf(shape),
        maxLength: t.sizeOf(shape),
      })
      .map((bits) => ({ shape, values: new Float32Array(Uint32Array.from(bits).buffer) })),
  )
const anyNumber = fc.oneof(fc.double(), fc.constant(-0))
const anyTree = trees(fc.oneof({ weight: 3, arbitrary: anyBits }, keys(), anyNumber, fc.constant(null)))

/** The same with bits for numbers of tensors, which tell NaNs apart. */
function bitsOf(tree: unknown): unknown {
  return t.mapTree(tree, (leaf) =>
    leaf instanceof t.Tensor
      ? { shape: leaf.shape, bits: [...new Uint32Array(leaf.toFloat32Array().buffer)] }
      : leaf,
  )
}

/** A tree of that structure whose leaves are others. */
function blank(tree: unknown): unknown {
  return t.mapTree(tree, (leaf) => {
    if (leaf instanceof t.Tensor) return t.ones(leaf.shape)
    return leaf instanceof t.Key ? t.key(99) : leaf === null ? null : 99
  })
}

function inScope(run: () => void): void {
  t.scope(() => {
    run()
    return null
  })
}

/** Runs what may only return or raise a FileError, and must leave no tensor. @returns whether it returned */
function returnsOrRefuses(run: () => void): boolean {
  const before = t.memory()
  let returned = true
  try {
    inScope(run)
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    returned = false
  }
  expect([t.memory().tensors, t.memory().bytes]).toEqual([before.tensors, before.bytes])
  return returned
}

const formats = {
  safetensors: { write: toSafetensors, read: fromSafetensors },
  npz: { write: toNpz, read: fromNpz },
  'npz, compressed': { write: (tree: unknown) => toNpz(tree, { compress: true }), read: fromNpz },
}

describe.each(Object.entries(formats))('%s', (_, { write, read }) => {
  test('any tree comes back bit for bit', () => {
    const survives = fc.property(anyTree, (snapshot: SnapshotTree) =>
      inScope(() => {
        const tree = t.fromSnapshot<unknown>(snapshot)
        const back = read(write(tree), { like: blank(tree) })
        expect(bitsOf(back)).toEqual(bitsOf(tree))
        expect(write(back)).toEqual(write(tree))
      }),
    )
    assertProperty(survives, 100)
  })

  test('the tensors of any tree come back by name', () => {
    const survives = fc.property(trees(anyBits), (snapshot: SnapshotTree) =>
      inScope(() => {
        const tree = t.fromSnapshot<unknown>(snapshot)
        const back = read(write(tree))
        expect(Object.keys(back).sort()).toEqual(t.paths(tree).sort())
        t.visitLeaves(tree, (leaf, name) => expect(bitsOf(back[name])).toEqual(bitsOf(leaf)))
      }),
    )
    assertProperty(survives, 50)
  })
})

/** A few bytes of a file changed, removed, put in or cut off. Most changes hit the beginning, where the header is. */
function damaged(file: Uint8Array): fc.Arbitrary<Uint8Array> {
  const place = fc.oneof(
    fc.integer({ min: 0, max: Math.min(400, file.length - 1) }),
    fc.integer({ min: 0, max: file.length - 1 }),
    fc.integer({ min: Math.max(0, file.length - 200), max: file.length - 1 }),
  )
  const byte = fc.oneof(
    fc.integer({ min: 0, max: 255 }),
    fc.constantFrom(0, 255, ...new TextEncoder().encode('{}[]",:-9e')),
  )
  const change = fc.record({
    place,
    byte,
    how: fc.constantFrom('set', 'set', 'set', 'remove', 'insert', 'cut'),
  })
  return fc.array(change, { minLength: 1, maxLength: 4 }).map((changes) => {
    const bytes = [...file]
    for (const { place: at, byte: value, how } of changes) {
      if (how === 'set') bytes[Math.min(at, bytes.length)] = value
      else if (how === 'cut') bytes.length = Math.min(at, bytes.length)
      else bytes.splice(at, how === 'remove' ? 1 : 0, ...(how === 'insert' ? [value] : []))
    }
    return Uint8Array.from(bytes)
  })
}

const model = sequential(linear(2, 3), batchNorm(), tanh())
const { params, state } = model.init(t.key(1), [2])
const tree = { params, state, step: 3, key: t.key(7) }
const modelFile = toModelFile(model, {
  params,
  state,
  inputShape: [2],
  preprocessing: { mean: [1, 2], standardDeviation: 1 },
  labels: ['a', 'b', 'c'],
})

test.each<[string, Uint8Array, (bytes: Uint8Array) => unknown]>([
  [
    'safetensors',
    toSafetensors(tree),
    (bytes) => [inspectSafetensors(bytes), fromSafetensors(bytes, { inexact: 'round' })],
  ],
  ['safetensors into a tree', toSafetensors(tree), (bytes) => fromSafetensors(bytes, { like: tree })],
  ['npz', toNpz(tree), (bytes) => fromNpz(bytes, { inexact: 'round' })],
  ['npz, compressed', toNpz(tree, { compress: true }), (bytes) => fromNpz(bytes, { like: tree })],
  ['a model', modelFile, (bytes) => loadModel(bytes).predict(t.tensor([[1, 2]]))],
])('%s: a damaged file is read or refused by name, and leaves nothing', (_, file, read) => {
  let refused = 0
  const holds = fc.property(damaged(file), (bytes) => {
    if (!returnsOrRefuses(() => read(bytes))) refused++
  })
  assertProperty(holds, 300)
  // Otherwise the damage is none.
  expect(refused).toBeGreaterThan(100)
})

type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

/** Every place in a value of JSON, as the keys that lead there. */
function placesIn(value: Json, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [path]
  const inner = Array.isArray(value) ? [...value.entries()] : Object.entries(value)
  return [path, ...inner.flatMap(([key, within]) => placesIn(within, [...path, key]))]
}

function replaced(value: Json, [key, ...rest]: readonly (string | number)[], by: Json): Json {
  if (key === undefined) return by
  if (Array.isArray(value)) return value.map((inner, i) => (i === key ? replaced(inner, rest, by) : inner))
  const entries = Object.entries(value as { [key: string]: Json })
  return Object.fromEntries(
    entries.map(([name, inner]) => [name, name === key ? replaced(inner, rest, by) : inner]),
  )
}

/** Values that programs trip over. */
const odd = fc.oneof(
  fc.constantFrom<Json>(
    -1,
    0,
    0.5,
    2 ** 31,
    2 ** 53,
    1e300,
    '',
    '2',
    '__proto__',
    'constructor',
    null,
    true,
    [],
    {},
    [[]],
  ),
  fc.constantFrom<Json>({ type: 'sequential', layers: [] }, { type: 'relu' }, [-1, 4], [0, 2 ** 53], [null], {
    length: 3,
  }),
  fc.jsonValue().map((value) => value as Json),
)

/** A safetensors file with another header. */
function withHeader(file: Uint8Array, change: (header: { [key: string]: Json }) => Json): Uint8Array {
  const length = Number(new DataView(file.buffer).getBigUint64(0, true))
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length))) as { [key: string]: Json }
  const text = new TextEncoder().encode(JSON.stringify(change(header)))
  const made = new Uint8Array(8 + text.length + file.length - 8 - length)
  new DataView(made.buffer).setBigUint64(0, BigInt(text.length), true)
  made.set(text, 8)
  made.set(file.subarray(8 + length), 8 + text.length)
  return made
}

test('any value in any place of a header is read or refused by name', () => {
  const file = toSafetensors(tree, { metadata: { a: 'b' } })
  const holds = fc.property(fc.nat(), odd, (place, value) => {
    const bytes = withHeader(file, (header) => {
      const places = placesIn(header)
      return replaced(header, places[place % places.length]!, value)
    })
    returnsOrRefuses(() => fromSafetensors(bytes, { inexact: 'round' }))
    returnsOrRefuses(() => fromSafetensors(bytes, { like: tree }))
  })
  assertProperty(holds, 300)
})

test('any value in any place of a description of a model is read or refused by name', () => {
  const holds = fc.property(fc.nat(), odd, (place, value) => {
    const bytes = withHeader(modelFile, (header) => {
      const metadata = header['__metadata__'] as { [key: string]: string }
      const told = JSON.parse(metadata['tapeflow.model']!) as Json
      const places = placesIn(told)
      const text = JSON.stringify(replaced(told, places[place % places.length]!, value))
      return { ...header, __metadata__: { 'tapeflow.model': text } }
    })
    returnsOrRefuses(() => loadModel(bytes))
  })
  assertProperty(holds, 300)
})
