import { failRange, failType, kindOf } from '@tapeflow/autodiff'
import { checkOptimizer } from './check-optimizer.ts'
import { nodeKind } from './same-structure.ts'

/** Refuses what `partition` cannot give parts to. */
export function checkOptimizers(operation: string, optimizers: unknown): void {
  if (typeof optimizers !== 'object' || optimizers === null || Array.isArray(optimizers))
    failType(
      operation,
      `optimizers by part are needed, got ${kindOf(optimizers)}`,
      'pass { generator: adam() }',
    )
  const entries = Object.entries(optimizers)
  if (entries.length === 0)
    failRange(operation, 'an optimizer for each part is needed, got none', 'pass { generator: adam() }')
  for (const [part, optimizer] of entries) {
    if (part === '' || part.includes('.'))
      failRange(operation, `names of parts must have no dot and not be empty, got '${part}'`)
    checkOptimizer(operation, optimizer)
  }
}

/**
 * The parts of a tree, by name.
 *
 * @param tree what the tree is called in errors
 * @throws RangeError where it has other parts: names both lists
 */
export function partsOf<P>(
  operation: string,
  tree: string,
  given: P,
  names: readonly string[],
): Readonly<Record<string, P[keyof P]>> {
  const found = nodeKind(given) === 'object' ? Object.keys(given as object) : []
  const isSame = found.length === names.length && names.every((part) => found.includes(part))
  if (isSame) return given as Readonly<Record<string, P[keyof P]>>
  return failRange(
    operation,
    `${tree} must have the parts ${names.join(', ')}, got ${found.join(', ') || kindOf(given)}`,
    'give every part of the parameters an optimizer',
  )
}
