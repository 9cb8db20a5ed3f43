import { failRange, failType, kindOf } from './fail.ts'

/**
 * Checks an operation's options: an object, with none but the given names. A misspelt name would otherwise be ignored,
 * and `sum(x, 0)` would sum everything.
 *
 * @throws TypeError for anything but an object; RangeError for a name that is not among `names`
 * @example
 * checkOptions('sum', { axes: 0 }, ['axis', 'keepDims']) // throws RangeError: sum: unknown option 'axes'; use axis, keepDims
 */
export function checkOptions(operation: string, options: object, names: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const given = typeof options === 'number' ? String(options) : kindOf(options)
    failType(operation, `options must be an object, got ${given}`, `write { ${names[0]}: … }`)
  }
  for (const name in options) {
    if (names.includes(name)) continue
    const given = kindOf(options)
    // What a function gets that was passed in the place of what it returns: a tensor, a stream.
    if (given !== 'an object') {
      failType(
        operation,
        `options must be an object, got ${given}`,
        `write { ${names[0]}: … } or ${operation}()`,
      )
    }
    failRange(operation, `unknown option '${name}'`, `use ${names.join(', ')}`)
  }
}

type Words<S extends string> = S extends `${infer First} ${infer Rest}` ? First | Words<Rest> : S

/** The option names of an interface with blanks between them: all of them and no others, or it does not compile. */
export type OptionNames<O, S extends string> = S &
  ([keyof O] extends [Words<S>]
    ? [Words<S>] extends [keyof O]
      ? unknown
      : { readonly unknown: Exclude<Words<S>, keyof O> }
    : { readonly missing: Exclude<keyof O, Words<S>> })

/**
 * The options of a function, which are refused where they have others than those of their interface: `adam({ lr: 0.1 })` would
 * otherwise train at the rate that there is by default.
 *
 * @param names all names that the interface has, with blanks between them: the compiler sees to it
 * @throws TypeError for anything but an object; RangeError for a name that is not among `names`
 * @example
 * interface RampOptions { readonly from?: number; readonly to?: number }
 * const ramp = (options: RampOptions) => t.knownOptions('ramp', options, 'from to')
 * ramp({ from: 1 }) // => { from: 1 }
 * ramp({ until: 2 } as RampOptions) // throws RangeError: ramp: unknown option 'until'; use from, to
 */
export function knownOptions<O extends object, S extends string>(
  operation: string,
  options: O,
  names: OptionNames<O, S>,
): O {
  checkOptions(operation, options, names.split(' '))
  return options
}

/** An option that is true or false; false where it is left out. */
export function checkFlag(operation: string, name: string, value: unknown): boolean {
  if (value === undefined) return false
  if (typeof value !== 'boolean')
    failType(operation, `${name} must be true or false, got ${kindOf(value)}`, 'leave it out for false')
  return value
}

/** A number that must be whole. */
export function checkInteger(operation: string, name: string, value: unknown): number {
  if (typeof value !== 'number') failType(operation, `${name} must be an integer, got ${kindOf(value)}`)
  if (!Number.isInteger(value)) failRange(operation, `${name} must be an integer, got ${value}`)
  return value
}

/** The one option of what works along a diagonal: 0 is the main one, 1 that above it, -1 that below. */
export function checkOffset(operation: string, options: { readonly offset?: number }): number {
  checkOptions(operation, options, ['offset'])
  return checkInteger(operation, 'offset', options.offset === undefined ? 0 : options.offset)
}
