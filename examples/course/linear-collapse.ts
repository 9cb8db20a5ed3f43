import * as t from '@tapeflow/autodiff'
import { linear, mse, sequential, tanh } from '@tapeflow/nn'
import { adam } from '@tapeflow/optim'
import { descend, predict } from './descend.ts'
import { lines } from './draw.ts'
import { claim, type Lesson, shown } from './lesson.ts'
import { exclusiveOr } from './samples.ts'

/** Linear layers without activations between them are one linear layer: depth adds nothing. */
export function linearCollapse(): Lesson {
  const { x, y } = exclusiveOr()
  const deep = sequential(linear(2, 8), linear(8, 8), linear(8, 1))
  const bent = sequential(linear(2, 8), tanh(), linear(8, 8), tanh(), linear(8, 1))
  const how = { x, y, loss: mse(), optimizer: adam({ learningRate: 0.03 }), steps: 300 }
  const straight = descend(deep, deep.init(t.key(1), [2]), how)
  const curved = descend(bent, bent.init(t.key(1), [2]), how)

  const [first, second, third] = straight.params.layers
  const weight = t.matmul(t.matmul(first.weight, second.weight), third.weight)
  const bias = t.linear(t.linear(first.bias, second.weight, second.bias), third.weight, third.bias)
  const points = t.normal(t.key(2), [100, 2])
  const apart = t.max(t.abs(t.sub(predict(deep, straight, points), t.linear(points, weight, bias)))).item()
  // The best line through exclusive or says 0.5 everywhere, which is wrong by 0.5: a mean square of 0.25.
  const [linearLoss, bentLoss] = [straight.losses.at(-1)!, curved.losses.at(-1)!]
  return {
    title: 'Without activations, depth collapses',
    claims: [
      claim(`three linear layers are one: outputs differ by ${shown(apart)} at most`, apart < 1e-5),
      claim(
        `on exclusive or they stop at a loss of ${shown(linearLoss)}; no line does better than 0.25`,
        Math.abs(linearLoss - 0.25) < 1e-3,
      ),
      claim(`with tanh between them the loss falls to ${shown(bentLoss)}`, bentLoss < 1e-3),
    ],
    svg: lines(
      'Exclusive or: three layers, with and without activations',
      [straight, curved].flatMap(({ losses }, i) =>
        losses.map((loss, step) => ({ line: ['linear', 'with tanh'][i]!, x: step, y: loss })),
      ),
      { x: 'step', y: 'loss', log: true },
    ),
  }
}
