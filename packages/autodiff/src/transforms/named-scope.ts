import { failType, kindOf } from '../fail.ts'
import { currentOrigin, setOrigin } from '../scopes.ts'
import { checkFunction, refuseAsynchronous } from './functions.ts'

/**
 * What `f` returns; what it computes goes by a name, in `graph` and in the errors of `debug`. Names within names are joined by
 * a dot, and a backward pass goes by the names of the forward pass. Layers of `@tapeflow/nn` are named by their places.
 *
 * Names change nothing else: nothing is freed, as it is by `scope`, and no bit depends on them.
 *
 * @param name such as `encoder`, or `layers.0`
 * @param f a synchronous function
 * @throws TypeError for a name that is no text or empty, and where `f` is asynchronous
 * @example
 * const block = (x: t.Tensor) => t.namedScope('block', () => t.tanh(t.namedScope('inner', () => t.exp(x))))
 * const { nodes } = t.graph(block, t.tensor([1, 2]))
 * nodes.map(({ name, path }) => `${name} in '${path}'`) // => ["argument 0 in ''", "exp in 'block.inner'", "tanh in 'block'"]
 */
export function namedScope<R>(name: string, f: () => R): R {
  if (typeof name !== 'string' || name === '') {
    const given = name === '' ? 'an empty one' : kindOf(name)
    failType('namedScope', `the name must be a text, got ${given}`, "pass 'encoder'")
  }
  checkFunction('namedScope', f)
  const around = currentOrigin()
  setOrigin({ ...around, path: around.path === '' ? name : `${around.path}.${name}` })
  try {
    const result = f()
    refuseAsynchronous('namedScope', result)
    return result
  } finally {
    setOrigin(around)
  }
}
