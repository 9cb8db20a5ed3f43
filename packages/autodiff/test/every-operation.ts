import * as t from '../src/index.ts'
import type { Draw, OperationInfo, Sample } from '../src/testing.ts'

/** What every operand refuses, by what it is. */
export const refused: Readonly<Record<string, unknown>> = {
  'a string': '1',
  null: null,
  undefined,
  'a BigInt': 1n,
  'a symbol': Symbol('one'),
  'an array': [1, 2],
  'an array with a hole': holed(),
  'a typed array': new Float32Array(2),
  'an object': {},
  'an object that looks like a tensor': { shape: [2], size: 2, offset: 64, rank: 1 },
  'a function': () => 1,
  true: true,
}

/** An array with a hole at place 0. */
function holed(): unknown[] {
  const array: unknown[] = []
  array[1] = 1
  return array
}

/** Draws that differ from seed to seed; those of seed 0 are the smallest. */
function drawn(seed: number): Draw {
  let next = seed
  const integer = (low: number, high: number): number => {
    next = (next * 69069 + seed) % 65536
    return low + (Math.floor(next / 7) % Math.max(1, high - low + 1))
  }
  const pick = <T>(choices: readonly T[]): T => choices[integer(0, choices.length - 1)]!
  const shape = (low: number, high: number): number[] =>
    Array.from({ length: integer(low, high) }, () => integer(1, 3))
  return { integer, pick, shape }
}

/** A call that an operation's `info` drew, and tensors that it takes. */
export interface Valid {
  readonly call: Sample['call']
  readonly inputs: readonly t.Tensor[]
}

/** Some calls of an operation on tensors of its domains. */
export function validCalls(info: OperationInfo): readonly Valid[] {
  return [0, 1, 2, 3, 4].map((seed) => {
    const { shapes, domains = info.domains, call } = info.sample(drawn(seed))
    const inputs = shapes.map((shape, i) => {
      const { low, high, integer = false } = domains[Math.min(i, domains.length - 1)]!
      const numbers = Array.from({ length: t.sizeOf(shape) }, (_, k) => {
        const number = low + (((k * 7 + i + 1) % 11) / 11) * (high - low)
        return integer ? Math.round(number) : number
      })
      return t.tensor(numbers, shape)
    })
    return { call, inputs }
  })
}

/** What a call throws; undefined where it throws nothing. */
export function thrownBy(call: () => unknown): unknown {
  try {
    call()
    return undefined
  } catch (error) {
    return error
  }
}

/** The parameters that a function declares, as its source has them: `options = {}`. */
export function parametersOf(f: (...given: never[]) => unknown): readonly string[] {
  const source = String(f)
  const parameters = ['']
  let depth = 0
  for (const character of source.slice(source.indexOf('('))) {
    if ('([{'.includes(character)) depth++
    if (')]}'.includes(character)) depth--
    if (depth === 0) break
    if (depth === 1 && character === ',') parameters.push('')
    else if (depth > 1 || character !== '(') parameters[parameters.length - 1] += character
  }
  return parameters.map((text) => text.trim()).filter((text) => text !== '')
}
