import { failType, kindOf } from '@tapeflow/autodiff'

/** Refuses what is no optimizer where one is to be wrapped. */
export function checkOptimizer(operation: string, optimizer: unknown): void {
  const given = optimizer as Partial<Record<'init' | 'update' | 'hyper' | 'hyperparameters', unknown>> | null
  const is =
    typeof given?.init === 'function' &&
    typeof given.update === 'function' &&
    typeof given.hyper === 'function' &&
    Array.isArray(given.hyperparameters)
  if (!is)
    failType(operation, `an optimizer is needed, got ${kindOf(optimizer)}`, `pass one: ${operation}(adam())`)
}

/** Refuses an update without `evaluate`. */
export function failWithoutEvaluate(operation: string): never {
  return failType(
    operation,
    'evaluate is needed, got undefined',
    'pass t.valueAndGrad(loss) as the last argument of update; fit does',
  )
}
