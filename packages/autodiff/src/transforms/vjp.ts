import { zeros } from '../creation.ts'
import { failRange, failType } from '../fail.ts'
import type { Scope } from '../scopes.ts'
import { sameShape, showShape } from '../shape.ts'
import { knownUnder, Tape } from '../tape.ts'
import { alias, type Tensor, TracedNumber } from '../tensor.ts'
import { inScope, leaves, type Replaced, replaceTensors, type Tree } from '../tree.ts'
import { backward } from './backward.ts'
import { checkFunction, refuseAsynchronous } from './functions.ts'

/** What `vjp` returns: the function's value and the cotangents of its inputs. */
export interface Pullback<P, V> {
  readonly value: V
  readonly gradients: Replaced<P, Tensor>
}

/**
 * The value of `f` at `inputs`, and the vector-Jacobian product: cotangent' · J, in the structure of the inputs.
 *
 * @param f a function of one tree
 * @param inputs the tree; gradients are taken for each of its tensors
 * @param cotangent a tree like what `f` returns, of the same shapes
 * @throws RangeError where the cotangent's shapes are not those of the value
 * @example
 * const { value, gradients } = t.vjp((x) => t.mul(x, x), t.tensor([1, 2, 3]), t.tensor([1, 1, 10]))
 * value.toArray() // => [1, 4, 9]
 * gradients.toArray() // => [2, 4, 60]
 */
export function vjp<P, V extends Tree>(
  f: (inputs: P) => V,
  inputs: P,
  cotangent: NoInfer<V>,
): Pullback<P, V> {
  return inScope((scope) => {
    checkFunction('vjp', f)
    const recorded = record('vjp', scope, f, inputs)
    const outputs = leaves(recorded.returned)
    const cotangents = leaves(cotangent)
    if (outputs.length !== cotangents.length) {
      failRange(
        'vjp',
        `the function returns ${outputs.length} tensors, got ${cotangents.length} cotangents`,
        'pass a cotangent for each',
      )
    }
    for (const [i, output] of outputs.entries()) {
      const given = cotangents[i]!.shape
      if (!sameShape(given, output.shape)) {
        failRange(
          'vjp',
          `the cotangent must have the value's shape ${showShape(output.shape)}, got ${showShape(given)}`,
        )
      }
    }
    const gradients = pullBack(recorded, outputs, cotangents)
    return { value: settle(recorded.returned, scope) as V, gradients }
  })
}

/** A function's run on a tape of its own, which is closed. */
export interface Recorded<P, R> {
  readonly tape: Tape
  readonly inputs: P
  readonly traced: P
  readonly returned: R
}

/**
 * Runs `f` with the tensors of `inputs` on a new tape.
 *
 * @param complete whether what no gradient goes through is recorded too
 * @throws TypeError where the inputs are nothing but a number: no gradient could be told from it
 */
export function record<P, R>(
  operation: string,
  scope: Scope,
  f: (inputs: P) => R,
  inputs: P,
  complete = false,
): Recorded<P, R> {
  if (typeof inputs === 'number' || inputs instanceof TracedNumber) {
    const number = typeof inputs === 'number' ? `the number ${inputs}` : 'a number'
    failType(operation, `inputs must be tensors, got ${number}`, 'wrap it in t.tensor to differentiate by it')
  }
  const tape = new Tape(scope, false, complete)
  const traced = replaceTensors(inputs, (x) => tape.input(x)) as P
  let returned: R
  try {
    returned = f(traced)
  } finally {
    tape.open = false
  }
  refuseAsynchronous(operation, returned)
  return { tape, inputs, traced, returned }
}

/** The cotangents of a recorded function's inputs, each a tensor of its own. */
export function pullBack<P>(
  recorded: Pick<Recorded<P, unknown>, 'tape' | 'traced'>,
  outputs: readonly Tensor[],
  cotangents: readonly Tensor[],
): Replaced<P, Tensor> {
  const { tape, traced } = recorded
  const found = backward(tape, outputs, cotangents)
  const given = new Set<Tensor>()
  return replaceTensors(traced, (x) => {
    const gradient = found[x.slot] ?? zeros(x.shape)
    if (gradient.owner === tape.scope && !given.has(gradient)) {
      given.add(gradient)
      return gradient
    }
    return alias('grad', gradient)
  })
}

/** What a function returned, as the world outside of its closed tape knows it. */
export function settle(returned: unknown, scope: Scope): unknown {
  return replaceTensors(returned, (x) => {
    if (x.tape === null || (x.tape.open && x.tape.scope !== scope)) return x
    return knownUnder(x, scope.depth) ?? alias('grad', x)
  })
}
