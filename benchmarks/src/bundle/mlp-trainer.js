/**
 * What somebody's program consists of who trains an MLP in a page: autodiff, nn and optim, and nothing that is not needed. It is bundled
 * to see how large that is, and it runs: `node src/bundle/mlp-trainer.js` learns exclusive or.
 */
import * as t from '@tapeflow/autodiff'
import { linear, relu, sequential, sparseCrossEntropy } from '@tapeflow/nn'
import { adam } from '@tapeflow/optim'

const model = sequential(linear(2, 16), relu(), linear(16, 2))
const loss = sparseCrossEntropy()
const optimizer = adam({ learningRate: 0.02 })
const x = t.tensor([
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
])
const y = t.tensor([0, 1, 1, 0])

const { params, state } = model.init(t.key(1), [2])
const step = t.compile(
  (
    /** @type {{ params: typeof params, slots: ReturnType<typeof optimizer.init<typeof params>> }} */ carry,
    /** @type {ReturnType<typeof optimizer.hyper>} */ hyper,
  ) => {
    const { value, gradients } = t.valueAndGrad((/** @type {typeof params} */ p) =>
      loss(model.apply(p, state, x, { training: true, path: '' }).y, y),
    )(carry.params)
    return { carry: optimizer.update(gradients, carry.slots, carry.params, hyper), loss: value }
  },
  { donate: [0], reuse: true },
)
let carry = { params, slots: optimizer.init(params) }
let last = Number.NaN
for (let i = 0; i < 300; i++) {
  const made = step(carry, optimizer.hyper(i))
  carry = made.carry
  last = made.loss.item()
}
console.log(`loss after 300 steps: ${last}`)
