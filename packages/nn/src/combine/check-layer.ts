import { failType, kindOf } from '@tapeflow/autodiff'

/** Checks that an argument is a layer. */
export function checkLayer(operation: string, what: string, layer: unknown): void {
  if (typeof layer === 'object' && layer !== null && 'init' in layer && 'apply' in layer) return
  failType(operation, `${what} is no layer, got ${kindOf(layer)}`, 'call the function that makes it: relu()')
}
