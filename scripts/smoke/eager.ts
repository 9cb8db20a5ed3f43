// Trains without @tapeflow/train: a loop over batches, as a person writes it who wants no stream.
import * as t from '@tapeflow/autodiff'
import { dataset } from '@tapeflow/data'
import { linear, mse, sequential, tanh } from '@tapeflow/nn'
import { adam } from '@tapeflow/optim'

/** Losses of 60 steps on y = 1 - 2x. */
export function eager(): number[] {
  const x = Float32Array.from({ length: 32 }, (_, i) => i / 16 - 1)
  const points = dataset({
    x: { shape: [32, 1], values: x },
    y: { shape: [32, 1], values: x.map((value) => 1 - 2 * value) },
  })
  const model = sequential(linear(1, 8), tanh(), linear(8, 1))
  const optimizer = adam({ learningRate: 0.05 })
  const loss = mse()
  const { params, state } = model.init(t.key(1), [1])
  const losses: number[] = []
  const pull = points
    .shuffle({ key: t.key(2) })
    .batch(16)
    .repeat(30)
    .iterate()
  let carry = { params, slots: optimizer.init(params) }
  for (let step = 0; ; step++) {
    const pulled = pull.next()
    if (pulled instanceof Promise) throw new TypeError('a synchronous source stays synchronous')
    if (pulled.done) break
    const batch = pulled.value
    carry = t.fold(carry, [batch], (now) => {
      const inputs = t.tensor(batch.x.values, batch.x.shape)
      const targets = t.tensor(batch.y.values, batch.y.shape)
      const { value, gradients } = t.valueAndGrad((p: typeof params) =>
        loss(model.apply(p, state, inputs, { training: true, path: '' }).y, targets),
      )(now.params)
      losses.push(value.item())
      return optimizer.update(
        gradients,
        now.slots,
        now.params,
        optimizer.hyper(step, { rateScale: 1, overrides: {} }),
      )
    })
  }
  return losses
}
