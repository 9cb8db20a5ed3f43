import * as optim from '@tapeflow/optim'
import { describe, expect, test } from 'vitest'
import { type Before, type Module, refusalOf, takingOptions } from './known-options.ts'

/** Every package, and what its functions take before their options: a function that is not there takes nothing. */
const packages: readonly { name: string; module: Module; before: Before }[] = [
  {
    name: 'optim',
    module: optim,
    before: {
      lookahead: [optim.sgd({ learningRate: 1 })],
      machine: [{}],
      sam: [optim.sgd({ learningRate: 1 })],
    },
  },
]

describe.each(packages)('$name', ({ module, before }) => {
  const found = takingOptions(module)

  test('what stands before options is known', () => {
    const missing = found.filter(([name, at]) => (before[name] ?? []).length !== at).map(([name]) => name)
    expect(missing, 'add what they take before their options to the table').toEqual([])
    const names = found.map(([name]) => name)
    expect(Object.keys(before).filter((name) => !names.includes(name))).toEqual([])
  })

  test.each(found)('%s refuses an option that it does not know, and names those that it does', (name) => {
    const error = refusalOf(module, name, before)
    expect(error).toBeInstanceOf(RangeError)
    expect(error).toMatchObject({ operation: name })
    expect((error as Error).message).toMatch(
      new RegExp(`^${name}: unknown option 'mispelled'; use \\w+(, \\w+)*$`),
    )
  })
})

test('functions that take options are found, however they take them', () => {
  const module = {
    none: (x: number) => x,
    last: (x: number, [a]: number[], options: object = { a: [1, 2] }) => [x, a, options],
    apart: (x: number, { a = 1 }: { a?: number } = {}) => [x, a],
    Machine: class {
      constructor(readonly options: object) {}
    },
    value: 3,
  }
  expect(takingOptions(module)).toEqual([
    ['last', 2],
    ['apart', 1],
  ])
})
