import { beforeAll, describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'
import * as ops from '../src/ops/generated/index.ts'
import { operations } from '../src/testing.ts'
import { parametersOf, refused, thrownBy, validCalls } from './every-operation.ts'

type Loose = (...given: unknown[]) => unknown

const functions = t as unknown as Readonly<Record<string, Loose>>

/** Asserts that a call is refused in the words of the house, and that no memory is taken. */
function expectRefusal(name: string, what: string, call: () => unknown): Error {
  const { tensors, bytes } = t.memory()
  const error = thrownBy(call)
  const isOurs = error instanceof TypeError || error instanceof RangeError
  expect(isOurs, `${name}, ${what}: ${error instanceof Error ? error.message : 'is accepted'}`).toBe(true)
  expect(error, what).toMatchObject({ operation: name })
  expect((error as Error).message.startsWith(`${name}: `), String(error)).toBe(true)
  expect(t.memory(), `${name}, ${what}: memory`).toMatchObject({ tensors, bytes })
  return error as Error
}

// Operands that may be left out, by place.
const optional: Readonly<Record<string, readonly number[]>> = {
  batchNorm: [1, 2],
  clip: [1, 2],
  elu: [1],
  eluGradient: [2],
  layerNorm: [1, 2],
  leakyRelu: [1],
  leakyReluGradient: [2],
  linear: [2],
  pad: [1],
  scaledDotProductAttention: [3],
}

// Operands in whose place null says that there is none.
const nullable: Readonly<Record<string, readonly number[]>> = { clip: [1, 2] }

describe('operands of each operation', () => {
  for (const info of operations) {
    const { name } = info.operation
    it(`${name} refuses what is no tensor, in each place`, () => {
      t.scope(() => {
        for (const { call, inputs } of validCalls(info)) {
          t.scope(() => call(...inputs))
          for (const [place] of inputs.entries()) {
            for (const [what, value] of Object.entries(refused)) {
              if (value === undefined && optional[name]?.includes(place)) continue
              if (value === null && nullable[name]?.includes(place)) continue
              const given: readonly unknown[] = inputs.map((x, i) => (i === place ? value : x))
              expectRefusal(name, `operand ${place} is ${what}`, () => call(...(given as t.Tensor[])))
            }
          }
        }
      })
    })
  }
})

/** What stands for a number, a shape, options, …: nothing takes one of these. */
const nothingTakes: Readonly<Record<string, unknown>> = {
  'a string': 'one',
  null: null,
  'a BigInt': 1n,
  'a symbol': Symbol('one'),
  'an array with a hole': refused['an array with a hole'],
  'an array of strings': ['1', '1'],
  'an array of BigInts': [1n, 1n],
  'an object of unknown options': { nonsense: 1 },
  'a function': () => 1,
  true: true,
}

const noInteger: Readonly<Record<string, unknown>> = { 'a fraction': 0.5, NaN: Number.NaN, Infinity: 1 / 0 }

const noAxis: Readonly<Record<string, unknown>> = {
  ...nothingTakes,
  ...noInteger,
  '99': 99,
  'an array of a fraction': [0.5],
  'an array of NaN': [Number.NaN],
  'an array of null': [null],
}

/** Arguments that are taken, and the places of those that must be integers. A function of tensors needs no line. */
interface Arguments {
  readonly given: readonly unknown[]
  readonly integers?: readonly number[]
}

function argumentsOf(x: t.Tensor, indices: t.Tensor): Readonly<Record<string, Arguments>> {
  return {
    arange: { given: [0, 3, 1] },
    bernoulli: { given: [t.key(1), [2], 0.5] },
    broadcastTo: { given: [x, [2, 3]], integers: [1] },
    concat: { given: [[x, x], {}] },
    expandDims: { given: [x, 0], integers: [1] },
    eye: { given: [2, 3], integers: [0, 1] },
    full: { given: [[2], 1], integers: [0] },
    key: { given: [7], integers: [0] },
    linspace: { given: [0, 1, 3], integers: [2] },
    meshgrid: { given: [[indices, indices], {}] },
    moveAxis: { given: [x, 0, 1], integers: [1, 2] },
    normal: { given: [t.key(1), [2], 0, 1], integers: [1] },
    oneHot: { given: [indices, 2], integers: [1] },
    ones: { given: [[2]], integers: [0] },
    onesLike: { given: [x] },
    pad: { given: [x, 1, {}], integers: [1] },
    permutation: { given: [t.key(1), 3], integers: [1] },
    permute: { given: [x, [1, 0]], integers: [1] },
    repeat: { given: [x, 2, {}], integers: [1] },
    reshape: { given: [x, [6]], integers: [1] },
    roll: { given: [x, 1, {}], integers: [1] },
    scatterAdd: { given: [x, indices, 3, {}], integers: [2] },
    slice: { given: [x, 0, 1], integers: [1, 2] },
    split: { given: [x, 2, {}], integers: [1] },
    stack: { given: [[x, x], {}] },
    sumTo: { given: [x, [1, 3]], integers: [1] },
    swapAxes: { given: [x, 0, 1], integers: [1, 2] },
    takeAlongAxis: { given: [x, t.reshape(indices, [2, 1]), {}] },
    tensor: { given: [[1, 2], [2]], integers: [1] },
    tile: { given: [x, 2], integers: [1] },
    transpose: { given: [x, [1, 0]], integers: [1] },
    truncatedNormal: { given: [t.key(1), [2], 0, 1], integers: [1] },
    uniform: { given: [t.key(1), [2], 0, 1], integers: [1] },
    zeros: { given: [[2]], integers: [0] },
    zerosLike: { given: [x] },
  }
}

describe('arguments of each function', () => {
  let x: t.Tensor
  let table: Readonly<Record<string, Arguments>>
  beforeAll(() => {
    x = t.tensor([
      [1, 2, 3],
      [4, 5, 6],
    ])
    table = argumentsOf(x, t.tensor([0, 1]))
  })
  const creation = Object.keys(argumentsOf(t.zeros([2, 3]), t.zeros([2])))
  for (const name of [...new Set([...Object.keys(ops), ...creation])].sort()) {
    const f = functions[name]!
    const parameters = parametersOf(f)
    /** Arguments that are taken: those of the table, or the tensors of a sample. */
    const given = (): readonly unknown[] => {
      const info = operations.find(({ operation }) => operation.name === name)
      return table[name]?.given ?? (info === undefined ? [x] : validCalls(info)[0]!.inputs)
    }
    it(`${name} refuses what is of another kind, in each place`, () => {
      t.scope(() => {
        const all = given()
        if (table[name] !== undefined) t.scope(() => f(...all) as t.Tensor)
        for (const [place] of parameters.entries()) {
          const before = Array.from({ length: place }, (_, i) => all[i])
          const integers = table[name]?.integers?.includes(place) ? noInteger : {}
          for (const [what, value] of Object.entries({ ...nothingTakes, ...integers })) {
            if (value === null && nullable[name]?.includes(place)) continue
            expectRefusal(name, `argument ${place} is ${what}`, () =>
              f(...before, value, ...all.slice(place + 1)),
            )
          }
        }
      })
    })
    const last = parameters.at(-1)
    if (last === undefined || !/^options|^\{/.test(last)) continue
    it(`${name} refuses axes that are none`, () => {
      t.scope(() => {
        const all = given().slice(0, parameters.length - 1)
        for (const [what, axis] of Object.entries(noAxis))
          expectRefusal(name, `axis is ${what}`, () => f(...all, { axis }))
      })
    })
  }
})
