/** The functions of a module, by name. */
export type Module = Readonly<Record<string, unknown>>

/** What stands before the options in a call: by name of the function, for those that take something there. */
export type Before = Readonly<Record<string, readonly unknown[]>>

// Options have this name in every function; one that takes them apart where they come in is found by the brace.
const isOptions = (parameter: string): boolean => /^options\b|^\{/.test(parameter)

/** The names of the functions of a module that take options, and how many arguments stand before those. */
export function takingOptions(module: Module): [name: string, before: number][] {
  return Object.entries(module).flatMap(([name, given]) => {
    if (typeof given !== 'function' || /^class\b/.test(String(given))) return []
    const at = parametersOf(String(given)).findIndex(isOptions)
    return at < 0 ? [] : [[name, at] as [string, number]]
  })
}

/** What calling a function with a misspelt option throws; undefined where it takes that. */
export function refusalOf(module: Module, name: string, before: Before): unknown {
  const call = module[name] as (...given: unknown[]) => unknown
  try {
    // What only a promise would say came too late.
    void Promise.resolve(call(...(before[name] ?? []), { mispelled: 1 })).catch(() => {})
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
    if ('([{'.includes(letter)) depth++
    if (')]}'.includes(letter)) depth--
    if (depth === 0) break
    if (depth === 1 && letter === ',') parameters.push('')
    else if (depth > 1 || letter !== '(') parameters[parameters.length - 1] += letter
  }
  return parameters.map((parameter) => parameter.trim())
}
