import { failRange, failType, kindOf } from '@tapeflow/autodiff'

/** What is wrong with the value of an option, if anything is; with what came, where that is a part of the value. */
export type Check = (value: unknown, operation: string) => string | undefined

/** Throws a TypeError unless it has a layer's two functions. */
export function checkModel(operation: string, model: unknown): void {
  if (has(model, 'init', 'apply')) return
  failType(operation, `the model must be a layer, got ${kindOf(model)}`, 'pass sequential(…)')
}

/**
 * Checks options one by one.
 *
 * @param remedy for what is no object
 * @throws RangeError for a number out of range or an unknown option; TypeError for a wrong kind
 */
export function checkEach(
  operation: string,
  options: unknown,
  known: Readonly<Record<string, Check>>,
  remedy: string,
): void {
  if (typeof options !== 'object' || options === null) {
    failType(operation, `options must be an object, got ${kindOf(options)}`, remedy)
  }
  const given: Readonly<Record<string, unknown>> = { ...options }
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(known, name)) {
      failRange(operation, `unknown option '${name}'`, `use ${Object.keys(known).join(', ')}`)
    }
  }
  for (const [name, check] of Object.entries(known)) {
    const value = given[name]
    const problem = check(value, operation)
    if (problem === undefined) continue
    if (problem.includes(', got ')) failRange(operation, `${name} ${problem}`)
    if (typeof value === 'number') failRange(operation, `${name} ${problem}, got ${value}`)
    failType(operation, `${name} ${problem}, got ${kindOf(value)}`)
  }
}

/** The check of an option that may be left out. */
export function optional(check: Check): Check {
  return (value, operation) => (value === undefined ? undefined : check(value, operation))
}

/** The check of an option that may be left out, and else fits. */
export function either(fits: (value: unknown) => boolean, what: string): Check {
  return (value) => (value === undefined || fits(value) ? undefined : `must be ${what}`)
}

/** Whether it can be called. */
export function isFunction(value: unknown): boolean {
  return typeof value === 'function'
}

/** Whether it is true or false. */
export function isFlag(value: unknown): boolean {
  return typeof value === 'boolean'
}

/** Whether it has a name that a message can tell. */
export function isNamed(value: object): boolean {
  return 'name' in value && typeof value.name === 'string' && value.name !== ''
}

/** Whether it is an observer of which any part may be missing, but not all. */
export function isObserver(value: unknown): boolean {
  if (!has(value)) return false
  return ['next', 'error', 'complete'].some((name) => {
    try {
      return has(value, name)
    } catch {
      // What a getter throws is caught where it is called.
      return true
    }
  })
}

/** Whether it is an object with these methods. */
export function has(value: unknown, ...methods: readonly string[]): value is object {
  if (typeof value !== 'object' || value === null) return false
  return methods.every((name) => typeof Reflect.get(value, name) === 'function')
}

/** Whether it is an integer from `least` on, 1 by default. */
export function isCount(value: unknown, least = 1): boolean {
  return Number.isSafeInteger(value) && Number(value) >= least
}

/** The check of an array whose items fit. */
export function list(
  name: string,
  what: string,
  fits: (value: unknown) => boolean,
  remedyFor = (wrong: unknown): string | undefined =>
    typeof wrong === 'function' ? 'call the function, and pass what it returns' : undefined,
): Check {
  return (value, operation) => {
    if (!Array.isArray(value)) return 'must be an array'
    const wrong = value.findIndex((item) => !fits(item))
    if (wrong < 0) return undefined
    failType(
      operation,
      `${name} must be an array of ${what}, got ${kindOf(value[wrong])} at ${wrong}`,
      remedyFor(value[wrong]),
    )
  }
}
