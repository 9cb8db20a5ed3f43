// Verifies gradients with @tapeflow/property-tests, as a person does in a test of their own.
import * as t from '@tapeflow/autodiff'
import { checkGradient } from '@tapeflow/autodiff/testing'
import { linear, sparseCrossEntropy } from '@tapeflow/nn'
import { gradientIsCorrect, programs, tensors, treesLike } from '@tapeflow/property-tests'
import fc from 'fast-check'

/** Throws where a right layer or loss breaks the law, or a wrong function keeps it; the code that a failure is reported as. */
export function gradients(): string {
  const layer = linear(3, 2)
  const { params } = layer.init(t.key(1), [3])
  const inputs = fc.record({ x: tensors({ shape: [2, 3] }), params: treesLike(params) })
  const context = { training: true, path: '' }
  fc.assert(
    gradientIsCorrect((at) => layer.apply(at.params, null, at.x, context).y, inputs),
    { numRuns: 10 },
  )
  const labels = tensors({ shape: [2], domain: { low: 0, high: 2, integer: true } })
  const batch = fc.record({ logits: tensors({ shape: [2, 3] }), labels })
  const loss = gradientIsCorrect((at) => sparseCrossEntropy()(at.logits, at.labels), batch, {
    fixed: ['labels'],
  })
  fc.assert(loss, { numRuns: 10 })
  if (!checkGradient(t.tanh, t.tensor([0.5, -1])).ok) throw new Error('tanh has a gradient')
  if (fc.sample(programs(), 3).some((program) => !String(program).includes('const program')))
    throw new Error('programs print themselves')
  const half = (x: t.Tensor): t.Tensor => t.mul(x, t.tensor(x.toFloat32Array(), x.shape))
  const { failed, errorInstance } = fc.check(gradientIsCorrect(half, tensors({ shape: [2] })), { seed: 1 })
  const message = errorInstance instanceof Error ? errorInstance.message : ''
  if (!failed || !message.includes('assertGradientIsCorrect(half, t.tensor([')) throw new Error(message)
  return message
}
