// What the law matrix uses of vitest, for plain node: a mutant is run in a process of its own, too often for a test runner's
// start. That the laws hold on the source as it is, by these words, is what a run begins with.
import { isDeepStrictEqual } from 'node:util'

const fail = (message) => {
  throw new Error(message)
}

/** @param {unknown} actual */
export const expect = (actual) => ({
  toBe: (expected) => Object.is(actual, expected) || fail('not the same'),
  toEqual: (expected) => isDeepStrictEqual(actual, expected) || fail('not equal'),
  toHaveLength: (length) => actual.length === length || fail('of another length'),
  toMatch: (pattern) => pattern.test(actual) || fail(`${actual} does not match ${pattern}`),
  toBeLessThan: (limit) => actual < limit || fail(`${actual} is not less than ${limit}`),
  toBeLessThanOrEqual: (limit) => actual <= limit || fail(`${actual} is more than ${limit}`),
  toBeGreaterThan: (limit) => actual > limit || fail(`${actual} is not more than ${limit}`),
  toBeGreaterThanOrEqual: (limit) => actual >= limit || fail(`${actual} is less than ${limit}`),
  toBeInstanceOf: (kind) => actual instanceof kind || fail(`is no ${kind.name}`),
  toThrow: (words = '') => {
    let thrown
    try {
      actual()
    } catch (error) {
      thrown = error
    }
    if (!thrown?.message.includes(words)) fail(`does not throw ${words}`)
  },
})

export const vi = {
  spyOn: (object, name) => {
    const original = object[name]
    return {
      mockImplementation(replacement) {
        object[name] = replacement
        return this
      },
      mockRestore() {
        object[name] = original
      },
    }
  },
}
