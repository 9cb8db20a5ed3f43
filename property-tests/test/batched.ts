import { fromSnapshot, scope, stack, type Tensor, vmap } from '@tapeflow/autodiff'
import { type OperationInfo, vmapByExample } from '@tapeflow/autodiff/testing'
import fc from 'fast-check'
import { assertVmapAgreesWithLoop, samples } from '../src/index.ts'
import { assertProperty } from './runs.ts'

/** The law that an operation is batched right: some of its inputs hold three examples each, the others are shared. */
export function vmapIsTheLoop(info: OperationInfo): void {
  agrees(info, vmap, 30)
}

/** The same where it is applied example by example, as every operation without a rule is. */
export function vmapByExampleIsTheLoop(info: OperationInfo): void {
  agrees(info, vmapByExample, 8)
}

function agrees(info: OperationInfo, of: typeof vmap, numRuns: number): void {
  const property = fc.property(samples(info, { others: 2 }), fc.nat(), ({ call, inputs, others }, choice) => {
    if (inputs.length === 0) return
    // Any choice of inputs but none.
    const chosen = 1 + (choice % (2 ** inputs.length - 1))
    const axes = inputs.map((_, k) => ((chosen >> k) & 1 ? 0 : null))
    scope(() => {
      const examples = [inputs, ...others].map((one) => fromSnapshot(one))
      const batch = axes.map((axis, k) =>
        axis === null ? examples[0]![k]! : stack(examples.map((x) => x[k]!)),
      )
      assertVmapAgreesWithLoop((x: readonly Tensor[]) => call(...x), batch, { axes, vmap: of })
    })
  })
  assertProperty(property, numRuns)
}
