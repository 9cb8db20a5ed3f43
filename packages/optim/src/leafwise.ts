import { mapTensors, mul, scope, type Tensor, zerosLike } from '@tapeflow/autodiff'
import type { Slots, Updated } from './optimizer.ts'
import { failDifferent, nodeKind, sameNode } from './same-structure.ts'

/** One tensor's update: `[param, ...slots]` from what they were, slots in the order of their names. */
export type Rule = (param: Tensor, gradient: Tensor, ...slots: Tensor[]) => readonly Tensor[]

/** Rules that depend on where a tensor is. */
export interface RuleAt {
  /** @param path of the tensor, `layers.0.weight` */
  readonly at: (path: string) => Rule
}

// So many elements are worth a scope, which takes as long as two small operations.
const scopedFrom = 1024

/** Zeros like the parameters for each name. */
export function zeroSlots<K extends string, P>(names: readonly K[], params: P): Slots<K, P> {
  // A tensor in place of each tensor: still a P.
  return byName(names, () => mapTensors(params, zerosLike) as P)
}

/** A copy of the parameters, in memory of its own: a compiled step writes over theirs. */
export function copyOf<P>(params: P): P {
  // A tensor in place of each tensor: still a P.
  return mapTensors(params, (w) => mul(w, 1)) as P
}

/**
 * Applies a rule to every tensor of the parameters, with the gradient and the slots at the same path. Each call on a large tensor
 * runs in a scope: what it made in between is freed, and its memory, still in the cache, is used by the next; what is left of small
 * ones is freed by the scope that this is called in. Leaves that are no tensors stay.
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
  rule: Rule | RuleAt,
): Updated<K, P> {
  // As many trees go in beside the parameters (gradients, slots) as come out (parameters, slots).
  const beside = [gradients, ...names.map((name) => slots[name])]

  // Paths are made only for a rule that asks for them.
  const inner = (path: string | null, key: string | number): string | null =>
    path === null ? null : path === '' ? `${key}` : `${path}.${key}`

  const walk = (param: unknown, others: readonly unknown[], path: string | null): readonly unknown[] => {
    const kind = nodeKind(param)
    for (let i = 0; i < others.length; i++) if (kind === null || !sameNode(kind, param, others[i])) differ()
    if (kind === 'tensor') {
      const own = typeof rule === 'function' ? rule : rule.at(path!)
      return updated(own, param as Tensor, others as [Tensor, ...Tensor[]])
    }
    if (kind === 'array')
      return walkArray(param as readonly unknown[], others as readonly (readonly unknown[])[], path)
    if (kind === 'object')
      return walkObject(param as Record<string, unknown>, others as readonly Record<string, unknown>[], path)
    return others.map(() => param)
  }

  const walkArray = (
    param: readonly unknown[],
    others: readonly (readonly unknown[])[],
    path: string | null,
  ): readonly unknown[] => {
    const made = others.map((): unknown[] => [])
    for (let i = 0; i < param.length; i++) {
      const children: unknown[] = []
      for (let k = 0; k < others.length; k++) children.push(others[k]![i])
      const row = walk(param[i], children, inner(path, i))
      for (let k = 0; k < made.length; k++) made[k]!.push(row[k])
    }
    return made
  }

  const walkObject = (
    param: Record<string, unknown>,
    others: readonly Record<string, unknown>[],
    path: string | null,
  ): readonly unknown[] => {
    // Copies have all properties at once.
    const made = others.map((): Record<string, unknown> => ({ ...param }))
    for (const key in param) {
      const children: unknown[] = []
      for (let k = 0; k < others.length; k++) children.push(others[k]![key])
      const row = walk(param[key], children, inner(path, key))
      for (let k = 0; k < made.length; k++) put(made[k]!, key, row[k])
    }
    return made
  }

  const differ = (): never => {
    const named = beside.map((tree, i) => ({ name: i === 0 ? 'gradients' : `slots.${names[i - 1]}`, tree }))
    return failDifferent(operation, params, named)
  }

  // The walk rebuilds the structure of params.
  const [next, ...rest] = walk(params, beside, typeof rule === 'function' ? null : '') as readonly P[]
  return { params: next!, slots: byName(names, (i) => rest[i]!) }
}

function updated(rule: Rule, param: Tensor, beside: readonly [Tensor, ...Tensor[]]): readonly Tensor[] {
  return param.size < scopedFrom ? rule(param, ...beside) : updatedInScope(rule, param, beside)
}

// Apart from where it is called: a function with a closure in it makes garbage even where that is not reached.
function updatedInScope(
  rule: Rule,
  param: Tensor,
  beside: readonly [Tensor, ...Tensor[]],
): readonly Tensor[] {
  return scope(() => rule(param, ...beside))
}

function put(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') object[key] = value
  else Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true })
}

function byName<K extends string, P>(names: readonly K[], tree: (index: number) => P): Slots<K, P> {
  return Object.fromEntries(names.map((name, i) => [name, tree(i)])) as Slots<K, P>
}
