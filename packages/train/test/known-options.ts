import { describe, expect, test } from 'vitest'

/** The functions of a module, by name. */
export type Module = Readonly<Record<string, unknown>>

/**
 * Every function of a module that takes options refuses others.
 *
 * @param before arguments of the functions that look at those first; nothing, as many times as there are arguments, for all others
 */
export function refusesOtherOptions(
  title: string,
  module: Module,
  before: Readonly<Record<string, readonly unknown[]>> = {},
): void {
  describe(title, () => {
    const found = takingOptions(module)

    test.each(found)(
      '%s refuses an option that it does not know, and names those that it does',
      async (name, at) => {
        const error = await refusalOf(module[name] as Called, before[name] ?? Array(at).fill(undefined))
        expect(error).toBeInstanceOf(RangeError)
        expect(error).toMatchObject({ operation: name })
        expect((error as Error).message).toMatch(
          new RegExp(`^${name}: unknown option 'mispelled'; use \\w+(, \\w+)*(;|$)`),
        )
      },
    )

    test('there are such functions, and all that have a row take options', () => {
      const names = found.map(([name]) => name)
      expect(names).not.toEqual([])
      expect(Object.keys(before).filter((name) => !names.includes(name))).toEqual([])
    })
  })
}

type Called = (...given: unknown[]) => unknown

// Options are called so in every function; one that takes them apart where they come in is found by the brace.
const isOptions = (parameter: string): boolean => /^options\b|^\{/.test(parameter)

/** The names of the functions of a module that take options, and how many arguments stand before those. */
export function takingOptions(module: Module): [name: string, before: number][] {
  return Object.entries(module).flatMap(([name, given]) => {
    if (typeof given !== 'function' || /^class\b/.test(String(given))) return []
    const at = parametersOf(String(given)).findIndex(isOptions)
    return at < 0 ? [] : [[name, at] as [string, number]]
  })
}

/** What a call with a misspelt option throws or rejects with; undefined where it is taken. */
async function refusalOf(call: Called, before: readonly unknown[]): Promise<unknown> {
  try {
    await call(...before, { mispelled: 1 })
    return undefined
  } catch (error) {
    return error
  }
}

/** The parameters of a function, from its text: what stands between commas that are in no bracket. */
function parametersOf(text: string): string[] {
  const parameters: string[] = ['']
  let depth = 0
  for (const letter of text.slice(text.indexOf('('))) {
    if (')]}'.includes(letter)) depth--
    if (depth === 0 && letter === ')') break
    if (depth === 1 && letter === ',') parameters.push('')
    else if (depth > 0) parameters[parameters.length - 1] += letter
    if ('([{'.includes(letter)) depth++
  }
  return parameters.map((parameter) => parameter.trim())
}
