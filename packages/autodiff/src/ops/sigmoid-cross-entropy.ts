import type { Operand } from '../apply.ts'
import { applyBinary, binary } from '../elementwise.ts'
import { binaryErrors, binarySample, ordinary } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { mul } from './mul.ts'
import { neg } from './neg.ts'
import { sigmoid } from './sigmoid.ts'
import { sub } from './sub.ts'

/** ln(1 + x) for 0 <= x <= 1, without what 1 + x loses (Kahan). */
function log1p(x: e.Value): e.Value {
  const one = e.constant(1)
  const sum = e.add(one, x)
  return e.select(e.equal(sum, one), x, e.div(e.mul(e.log(sum), x), e.sub(sum, one)))
}

export const sigmoidCrossEntropyOperation: ReturnType<typeof binary> = /*@__PURE__*/ binary({
  name: 'sigmoidCrossEntropy',
  doc: 'max(x, 0) - x z + ln(1 + exp(-|x|))',
  reference: (x, z) => {
    const wrong = x < 0 ? z : 1 - z
    return (wrong === 0 ? 0 : Math.abs(x) * wrong) + Math.log1p(Math.exp(-Math.abs(x)))
  },
  // max(x, 0) - x z is |x| times the share of the target that is on the other side: nothing cancels, and nothing is infinite
  // where that share is 0.
  expression: (x, z) => {
    const zero = e.constant(0)
    const size = e.abs(x)
    const wrong = e.select(e.less(x, zero), z, e.sub(e.constant(1), z))
    const distance = e.select(e.equal(wrong, zero), zero, e.mul(size, wrong))
    return e.add(distance, log1p(e.exp(e.neg(size))))
  },
  vjp: [(g, _, x, z) => mul(g, sub(sigmoid(x), z)), (g, _, x) => mul(g, neg(x))],
})

/**
 * The cross-entropy of probabilities with the sigmoid of logits, element by element: l = -z ln sigmoid(x) - (1 - z) ln
 * (1 - sigmoid(x)), computed as max(x, 0) - x z + ln(1 + e⁻|ˣ|), which neither overflows nor rounds to 0. An infinite logit
 * on the right side costs 0, on the wrong one Infinity.
 *
 * Its gradients are (sigmoid(x) - z) g and -x g.
 *
 * @param logits any shape
 * @param targets probabilities, which broadcast with the logits
 * @returns the shape that both broadcast to
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.sigmoidCrossEntropy(t.tensor([0, 1000, -1000]), t.tensor([1, 1, 1])).toArray() // => [Math.fround(Math.LN2), 0, 1000]
 */
export function sigmoidCrossEntropy(logits: Operand, targets: Operand): Tensor {
  return applyBinary(sigmoidCrossEntropyOperation, logits, targets)
}

export const info: readonly OperationInfo[] = [
  {
    operation: sigmoidCrossEntropyOperation,
    sample: binarySample(sigmoidCrossEntropy),
    domains: [ordinary, { low: 0, high: 1 }],
    ulps: 4,
    // Beyond [0, 1], where no probability is, the share of the other side is negative, and cancels with the logarithm.
    scale: ([, z], output) => {
      const cancels = !Array.from(z!.values).every((p) => p >= 0 && p <= 1)
      return Array.from(output, (y) => Math.abs(y) + (cancels ? 2 * Math.LN2 : 0))
    },
    errors: binaryErrors('sigmoidCrossEntropy', sigmoidCrossEntropy),
  },
]
