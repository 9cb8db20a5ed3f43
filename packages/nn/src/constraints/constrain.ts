import * as t from '@tapeflow/autodiff'
import type { Constraint } from './incoming.ts'

/** A constraint, and which parameters have to satisfy it. */
export interface ConstraintTerm {
  /** Whether the parameter at a path has to: `(path) => path.endsWith('weight')`. */
  readonly at: (path: string) => boolean
  readonly constraint: Constraint
}

/** Makes a tree of parameters into one that satisfies constraints. */
export type Constrainer = <P>(params: P) => P

/**
 * Constraints on parameters, chosen by their paths: what `fit` does to them after each update of the optimizer.
 *
 * @param terms at least one; of several on one parameter each takes what the one before made
 * @returns (params) -> the same tree, in which what is constrained is replaced and all else is the same object
 * @throws RangeError without terms, where a term is on no parameter, and where a constraint changes a shape; TypeError for what is
 * no term
 * @example
 * const project = constrain([{ at: (path) => path.endsWith('weight'), constraint: nonNeg() }])
 * const params = { weight: t.tensor([-1, 2]), bias: t.tensor([-3]) }
 * const made = project(params)
 * made.weight.toArray() // => [0, 2]
 * made.bias === params.bias // => true
 */
export function constrain(terms: readonly ConstraintTerm[]): Constrainer {
  if (terms.length === 0)
    t.failRange('constrain', 'at least one term is needed, got 0', 'pass { at, constraint: maxNorm(2) }')
  for (const [i, term] of terms.entries()) {
    if (typeof term?.at === 'function' && typeof term.constraint === 'function') continue
    t.failType(
      'constrain',
      `term ${i} must be { at, constraint }, both functions`,
      'call maxNorm: constraint: maxNorm(2)',
    )
  }
  return <P>(params: P): P => {
    const paths = t.paths(params)
    const idle = terms.findIndex(({ at }) => !paths.some((path) => at(path)))
    if (idle >= 0)
      t.failRange('constrain', `term ${idle} is on no parameter`, `there are ${paths.join(', ')}`)
    // Every tensor of a P is replaced by a tensor: still a P.
    return t.scope(() => t.mapTensors(params, (x, path) => constrained(terms, x, path)) as P)
  }
}

function constrained(terms: readonly ConstraintTerm[], x: t.Tensor, path: string): t.Tensor {
  let made = x
  for (const [i, { at, constraint }] of terms.entries()) {
    if (!at(path)) continue
    made = constraint(made)
    if (t.sameShape(made.shape, x.shape)) continue
    t.failRange(
      'constrain',
      `term ${i} must keep the shape ${t.showShape(x.shape)} of '${path}', got ${t.showShape(made.shape)}`,
    )
  }
  return made
}
