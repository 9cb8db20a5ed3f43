import { heapFloats } from '../memory.ts'
import { defineOperation, type Operation } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { type OperationLine, type Output, Value } from './graph.ts'

/** The same elements in memory of their own: what a program hands out must be its own. Only ever a line of a plan. */
export const copyOperation: Operation<unknown, readonly Tensor[]> = /*@__PURE__*/ defineOperation<
  unknown,
  readonly Tensor[]
>({
  name: 'copy',
  doc: 'the same elements in memory of their own',
  shape: ([x]) => x!.shape,
  reference: ([x]) => x!.values,
  kernel: (output, [x]) => {
    heapFloats().copyWithin(output.offset / 4, x!.offset / 4, x!.offset / 4 + x!.size)
  },
  vjp: [],
})

/**
 * The lines, with copies of the outputs that would otherwise lie where they must not.
 *
 * @param mayStay whether an output that is no constant may lie where it does
 */
export function withCopies(
  lines: readonly OperationLine[],
  outputs: readonly (Output | null)[],
  values: number,
  mayStay: (value: Value, isRepeated: boolean) => boolean,
): { readonly lines: readonly OperationLine[]; readonly outputs: readonly (Output | null)[] } {
  const added: OperationLine[] = []
  const roots = new Set<Value>()
  const own = outputs.map((output) => {
    if (output === null) return null
    const { value } = output
    const stays = value.source.kind !== 'constant' && mayStay(value, roots.has(value.root))
    roots.add(value.root)
    if (stays) return output
    const made = new Value(values + added.length, `${value.name}'`, value.shape, { kind: 'computed' })
    added.push({ operation: copyOperation, inputs: [value], attributes: {}, described: '', output: made })
    return { ...output, value: made }
  })
  return { lines: [...lines, ...added], outputs: own }
}
