import type { ScanAttributes } from '../compile/packing.ts'
import { heapFloats } from '../memory.ts'
import { currentOrigin, type Watcher } from '../scopes.ts'
import type { Tensor } from '../tensor.ts'
import { AnomalyError, indexOf, type LoopStep } from './anomaly.ts'
import { firstOf, looked, rangeOf } from './range.ts'
import { isScan, runAgain } from './run-again.ts'
import { userFrame } from './user-frame.ts'

/**
 * A watcher that throws where an operation makes what is not finite. An infinity that an operation is given, a mask say, it may
 * hand on; a NaN is an anomaly wherever it comes from.
 *
 * @param infinities whether an infinity that is made of finite numbers is one
 */
export function watching(infinities: boolean): Watcher {
  const steps: LoopStep[] = []

  const again = (operation: string, inputs: readonly Tensor[], attributes: ScanAttributes): void => {
    steps.push({ operation, step: 0, row: 0 })
    runAgain(inputs, attributes, (step, row) => {
      steps[steps.length - 1] = { operation, step, row }
    })
    steps.pop()
  }
  return {
    call: calledNow,
    look: (operation, inputs, attributes, output) => {
      const result = looked(output)
      if (result.nonFinite === 0) return
      const given = inputs.map(looked)
      const allFinite = given.every(({ nonFinite }) => nonFinite === 0)
      const place = firstOf(result, infinities && allFinite)
      if (place < 0) return
      const holder = given.findIndex(({ firstNaN }) => firstNaN >= 0)
      // The operation of the body that makes it is the one to name.
      if (holder < 0 && isScan(attributes)) again(operation.name, inputs, attributes)
      const { path, backwardOf, call } = currentOrigin()
      const anomaly = {
        operation: operation.name,
        value: heapFloats()[output.offset / 4 + place]!,
        index: indexOf(place, output.shape),
        result: rangeOf(result),
        inputs: given.map(rangeOf),
        path,
        pass: backwardOf === null ? 'forward' : 'backward',
        backwardOf,
        steps: [...steps],
        argument: null,
        place: userFrame((call ?? calledNow()).stack),
      } as const
      throw new AnomalyError(anomaly, causeOf(allFinite, holder))
    },
  }
}

function causeOf(allFinite: boolean, holder: number): string {
  if (allFinite) return 'for finite inputs'
  return holder < 0
    ? 'for inputs without NaN'
    : `as input ${holder} holds NaN already, which no operation made`
}

// Between a kernel and the code of a user there may be many frames of this library.
const framesAtMost = 256

function calledNow(): Error {
  const before = Error.stackTraceLimit
  // Only V8 has a limit.
  if (before !== undefined) Error.stackTraceLimit = framesAtMost
  const call = new Error('called')
  if (before !== undefined) Error.stackTraceLimit = before
  return call
}
