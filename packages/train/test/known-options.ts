import { describe, expect, test } from 'vitest'

/** The functions of a module, by name. */
export type Module = Readonly<Record<string, unknown>>

/** Every function of a module that takes options refuses others, before it looks at anything else. */
export function refusesOtherOptions(title: string, module: Module, except: readonly string[] = []): void {
  describe(title, () => {
    const found = takingOptions(module).filter(([name]) => !except.includes(name))

    test.each(found)(
      '%s refuses an option that it does not know, and names those that it does',
      async (name, at) => {
        const error = await refusalOf(module[name] as Called, at)
        expect(error).toBeInstanceOf(RangeError)
        expect(error).toMatchObject({ operation: name })
        expect((error as Error).message).toMatch(
          new RegExp(`^${name}: unknown option 'mispelled'; use \\w+(, \\w+)*$`),
        )
      },
    )

    test('those that are left out do take options', () => {
      const names = takingOptions(module).map(([name]) => name)
      expect(except.filter((name) => !names.includes(name))).toEqual([])
      expect(names.length).toBeGreaterThan(except.length)
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
async function refusalOf(call: Called, before: number): Promise<unknown> {
  try {
    await call(...Array(before).fill(undefined), { mispelled: 1 })
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
