import { mapTensors, scope, Tensor, zerosLike } from '@tapeflow/autodiff'
import type { Slots, Updated } from './optimizer.ts'
import { type Beside, below, checkSame, nodeKind } from './same-structure.ts'

/** One tensor's update: `[param, ...slots]` from what they were, slots in the order of their names. */
export type Rule = (param: Tensor, gradient: Tensor, ...slots: Tensor[]) => readonly Tensor[]

/** Zeros like the parameters for each name. */
export function zeroSlots<K extends string, P>(names: readonly K[], params: P): Slots<K, P> {
  // A tensor in place of each tensor: still a P.
  return byName(names, () => mapTensors(params, zerosLike) as P)
}

/**
 * Applies a rule to every tensor of the parameters, with the gradient and the slots at the same path. Each call runs
 * in a scope: what it made in between is freed, and its memory, still in the cache, is used by the next. Leaves that
 * are no tensors stay.
 *
 * @param operation the optimizer, for errors
 * @param names the slots that the rule takes and returns, in this order
 * @throws RangeError where a tree lacks a tensor, has one too many, or one of another shape; TypeError where `params`
 * is no tree
 */
export function leafwise<K extends string, P>(
  operation: string,
  names: readonly K[],
  gradients: P,
  slots: Slots<K, P>,
  params: P,
  rule: Rule,
): Updated<K, P> {
  const walk = (param: unknown, others: readonly Beside[], path: string): readonly unknown[] => {
    for (const other of others) checkSame(operation, param, other, path)
    if (param instanceof Tensor) {
      const [gradient, ...rest] = others.map((other) => other.tree as Tensor)
      return scope(() => rule(param, gradient!, ...rest))
    }
    const kind = nodeKind(param)
    if (kind === 'other leaf') return others.map(() => param)
    const rows = Object.entries(param as object).map(
      ([key, inner]: [string, unknown]) =>
        [key, walk(inner, children(others, key), below(path, key))] as const,
    )
    return others.map((_, k) =>
      kind === 'array'
        ? rows.map(([, row]) => row[k])
        : Object.fromEntries(rows.map(([key, row]) => [key, row[k]])),
    )
  }

  // As many trees go in beside the parameters (gradients, slots) as come out (parameters, slots).
  const beside = [
    { name: 'gradients', tree: gradients },
    ...names.map((name) => ({ name: `slots.${name}`, tree: slots[name] })),
  ]
  // The walk rebuilds the structure of params.
  const [next, ...rest] = walk(params, beside, '') as readonly P[]
  return { params: next!, slots: byName(names, (i) => rest[i]!) }
}

// checkSame has found the key in each.
function children(others: readonly Beside[], key: string): Beside[] {
  return others.map(({ name, tree }) => ({ name, tree: (tree as Readonly<Record<string, unknown>>)[key] }))
}

function byName<K extends string, P>(names: readonly K[], tree: (index: number) => P): Slots<K, P> {
  return Object.fromEntries(names.map((name, i) => [name, tree(i)])) as Slots<K, P>
}
