import { fromSnapshot, type Restored, scope, type Tree } from '@tapeflow/autodiff'
import fc from 'fast-check'
import type { SnapshotTree } from './arbitraries/trees.ts'
import { asCode } from './as-code.ts'

/** What a law's function gets: the plain data with tensors made of it; any tree where that is all that is known. */
export type Inputs<S> = SnapshotTree extends S ? Tree : Restored<S>

/** What laws return: a property for `fc.assert`. */
export type Law<S> = fc.IPropertyWithHooks<[inputs: S]>

/** The call that checks a law at one point, `name(f, inputs, options)`: how a failure is printed. */
export interface Assertion {
  /** The name that the asserting function is exported by. */
  readonly name: string
  /** The module that exports it; '@tapeflow/property-tests' by default. */
  readonly from?: string
  /** What the law is about; printed by its name, `f` where it has none. */
  readonly f: (...args: never[]) => unknown
  readonly options?: object
}

/**
 * The property that `check` throws for no inputs of an arbitrary: tensors are made of the plain data, and freed after.
 *
 * The message of what `check` throws ends with code that does it again: the inputs as literals, and the assertion's call.
 *
 * @param arbitrary makes trees whose tensors are plain data, `{ shape, values }`
 * @param check throws where the law is broken
 * @param assertion the call that checks the same at one point; without one the inputs alone are printed
 * @example
 * const law = holds(tensors({ shape: [2] }), (x) => expect(t.sub(x, x).toArray()).toEqual([0, 0]))
 * fc.assert(law, { numRuns: 5 })
 *
 * const assertPositive = (f, x) => expect(Math.min(...f(x).toArray())).toBeGreaterThan(0)
 * const assertion = { name: 'assertPositive', from: './laws.ts', f: t.exp }
 * fc.assert(holds(tensors({ shape: [2] }), (x) => assertPositive(t.exp, x), assertion), { numRuns: 5 })
 */
export function holds<S>(
  arbitrary: fc.Arbitrary<S>,
  check: (inputs: Inputs<S>) => void,
  assertion?: Assertion,
): Law<S> {
  return fc.property(arbitrary, (plain) => {
    try {
      scope(() => check(fromSnapshot<unknown>(plain) as Inputs<S>))
    } catch (error) {
      // That is no failure: the sample is passed over.
      if (error instanceof Error && !fc.PreconditionFailure.isFailure(error)) {
        endWith(error, reproduction(plain, assertion))
      }
      throw error
    }
  })
}

/** What a user pastes to see the failure again. */
function reproduction(plain: unknown, assertion: Assertion | undefined): string {
  const inputs = asCode(plain)
  const last = assertion === undefined ? `const inputs = ${inputs}` : callOf(assertion, inputs)
  const lines = [
    ...(/\bt\.\w/.test(last) ? ["import * as t from '@tapeflow/autodiff'"] : []),
    ...(assertion === undefined
      ? []
      : [`import { ${assertion.name} } from '${assertion.from ?? '@tapeflow/property-tests'}'`]),
  ]
  return [...lines, ...(lines.length === 0 ? [] : ['']), last].join('\n')
}

function callOf({ name, f, options = {} }: Assertion, inputs: string): string {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const code = [asCode(f), inputs, ...(Object.keys(given).length === 0 ? [] : [asCode(given)])]
  const note = code[0] === 'f' && f.name !== 'f' ? ' // f: the function that the law was given' : ''
  return `${name}(${code.join(', ')})${note}`
}

// The stack shows the message too, as it was at first.
function endWith(error: Error, code: string): void {
  const { message, stack } = error
  error.message = `${message}\n\n${code}`
  if (stack !== undefined) error.stack = stack.replace(message, () => error.message)
}
