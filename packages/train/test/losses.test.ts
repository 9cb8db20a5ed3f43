import * as t from '@tapeflow/autodiff'
import { dataset } from '@tapeflow/data'
import {
  activation,
  binaryCrossEntropy,
  crossEntropy,
  type Loss,
  linear,
  sequential,
  sparseCrossEntropy,
} from '@tapeflow/nn'
import { sgd } from '@tapeflow/optim'
import { describe, expect, test } from 'vitest'
import { fit, result } from '../src/index.ts'
import { modes } from './small.ts'

const rows = { shape: [2, 3], values: Float32Array.of(1, 0, 0, 0, 1, 0) }
const labels = { shape: [2], values: Float32Array.of(0, 1) }

// What people mix up first.
describe.each(modes)(
  'what is given to the wrong loss ends a run with the name of what to use, %s',
  (_, mode) => {
    const last = (name: string, f: (x: t.Tensor) => t.Tensor) => sequential(linear(3, 3), activation(name, f))
    const run = (loss: Loss, y: typeof rows, model = last('identity', (x) => x)): Promise<unknown> =>
      result(
        fit(model, {
          ...mode,
          data: dataset({ x: rows, y }).batch(2),
          loss,
          optimizer: sgd({ learningRate: 0.1 }),
          steps: 1,
        }),
      )

    test.each([
      [
        () => run(crossEntropy(), labels),
        'crossEntropy: the target must be rows [2,3], got labels [2]; use sparseCrossEntropy for labels',
      ],
      [
        () => run(sparseCrossEntropy(), rows),
        'sparseCrossEntropy: the target must be labels [2], got rows [2,3]; use crossEntropy for rows',
      ],
      [
        () => run(sparseCrossEntropy(), labels, last('softmax', t.softmax)),
        "sparseCrossEntropy: the prediction comes from softmax, but from 'logits' that is taken here; leave softmax out of the model, or use from: 'probabilities'",
      ],
      [
        () => run(binaryCrossEntropy(), rows, last('sigmoid', t.sigmoid)),
        "binaryCrossEntropy: the prediction comes from sigmoid, but from 'logits' that is taken here; leave sigmoid out of the model, or use from: 'probabilities'",
      ],
    ])('%#', async (start, words) => {
      await expect(start()).rejects.toThrow(`fit: step 0 of epoch 0 failed: ${words}`)
    })

    test('and what is right is not', async () => {
      await run(sparseCrossEntropy({ from: 'probabilities' }), labels, last('softmax', t.softmax))
      await run(crossEntropy(), rows)
    })
  },
)
