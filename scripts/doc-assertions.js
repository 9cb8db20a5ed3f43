// What `// => value`, `// throws text` and a block of printed text mean in an executed example; see check-docs.mjs.
import assert from 'node:assert/strict'
import { format, isDeepStrictEqual } from 'node:util'

/** Tensors, typed arrays and what holds them, as plain arrays: an example shows numbers, not containers. */
function plain(value) {
  if (typeof value !== 'object' || value === null) return value
  if (ArrayBuffer.isView(value)) return Array.from(value)
  if (typeof value.toArray === 'function') return plain(value.toArray())
  if (Array.isArray(value)) return value.map(plain)
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
}

/** The same float32; or, where three decimals or more are written, rounding to them. */
function sameNumber(actual, written) {
  if (Object.is(actual, written) || Math.fround(actual) === Math.fround(written)) return true
  const decimals = /\.(\d+)$/.exec(String(written))?.[1]?.length ?? 0
  return decimals >= 3 && Math.abs(actual - written) <= 0.500001 * 10 ** -decimals
}

function agree(actual, written) {
  if (typeof actual === 'number' && typeof written === 'number') return sameNumber(actual, written)
  if (Array.isArray(actual) && Array.isArray(written)) {
    return actual.length === written.length && actual.every((value, i) => agree(value, written[i]))
  }
  if (actual?.constructor === Object && written?.constructor === Object) {
    const keys = Object.keys(written)
    return Object.keys(actual).length === keys.length && keys.every((key) => agree(actual[key], written[key]))
  }
  return isDeepStrictEqual(actual, written)
}

/**
 * `expression // => value`
 * @param {unknown} actual
 * @param {string} text what stands behind the arrow
 * @param {(() => unknown) | undefined} value the same as JavaScript, if it is
 */
export function same(actual, text, value) {
  let written
  let isValue = value !== undefined
  // What only looks like JavaScript, as in `String(key) // => Key(1, 2)`, is compared as text.
  try {
    written = value?.()
  } catch {
    isValue = false
  }
  if (isValue ? agree(plain(actual), plain(written)) : String(actual) === text) return
  const shown = JSON.stringify(plain(actual), (_, inner) =>
    typeof inner === 'number' && !Number.isFinite(inner) ? String(inner) : inner,
  )
  throw new Error(`the example says ${text} but the value is ${isValue ? shown : String(actual)}`)
}

/**
 * `statement // throws RangeError: text`
 * @param {() => unknown} run
 * @param {string} text part of `name: message`
 */
export async function throws(run, text) {
  let thrown
  try {
    await run()
  } catch (error) {
    thrown = error
  }
  if (thrown === undefined) throw new Error(`the example says that it throws ${text} but it does not throw`)
  if (!String(thrown).includes(text)) {
    throw new Error(`the example says that it throws ${text} but it throws ${thrown}`, { cause: thrown })
  }
}

/**
 * A block of code, and behind it a block of text: what `console.log` prints.
 * @param {() => Promise<unknown>} run
 * @param {string} text
 */
export async function prints(run, text) {
  const { log } = console
  let printed = ''
  console.log = (...values) => {
    printed += `${format(...values)}\n`
  }
  try {
    await run()
  } finally {
    console.log = log
  }
  assert.equal(printed, text, 'the example prints something else')
}
