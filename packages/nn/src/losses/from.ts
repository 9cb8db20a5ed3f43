import { failType, type Tensor } from '@tapeflow/autodiff'

/** What predictions are: any numbers, or probabilities. */
export type From = 'logits' | 'probabilities'

/** Checks the name of what predictions are. */
export function checkFrom(operation: string, from: From): void {
  if (from === 'logits' || from === 'probabilities') return
  failType(operation, `from must be 'logits' or 'probabilities', got '${String(from)}'`)
}

/**
 * Refuses probabilities where logits are asked for: a softmax of a softmax trains, slowly and to nothing good.
 *
 * Seen where the prediction is recorded, as in every gradient and every program: there the operation that made it is known.
 *
 * @param makers the names of operations that make probabilities
 */
export function checkLogits(operation: string, prediction: Tensor, makers: readonly string[]): void {
  const maker = makerOf(prediction)
  if (maker === undefined || !makers.includes(maker)) return
  failType(
    operation,
    `the prediction comes from ${maker}, but from 'logits' that is taken here`,
    `leave ${maker} out of the model, or use from: 'probabilities'`,
  )
}

/** The name of the operation that made a value, where that is recorded. One that only reshapes is passed over. */
function makerOf(x: Tensor): string | undefined {
  let entry = x.tape?.entries[x.slot]
  while (entry?.operation.name === 'reshape') {
    const [before] = entry.inputs
    entry = before!.tape?.entries[before!.slot]
  }
  return entry?.operation.name
}
