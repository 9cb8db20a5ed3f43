import * as Plot from '@observablehq/plot'
import * as t from '@tapeflow/autodiff'
import { activation, linear, relu, type SizePreserving, sequential, sigmoid, tanh } from '@tapeflow/nn'
import { draw } from './draw.ts'
import { claim, type Lesson, shown } from './lesson.ts'

const width = 12
const samples = 32
const activations: Readonly<Record<string, () => SizePreserving<null, null>>> = {
  sigmoid,
  tanh,
  relu,
  leakyRelu: () => activation('leakyRelu', (x) => t.leakyRelu(x)),
  identity: () => activation('identity', (x) => x),
}

/** Of the neurons that learn from a sample, the share whose incoming weights all get gradients of one sign. */
function shareOfOneSign(gradients: readonly (readonly (readonly number[])[])[]): number {
  let [learning, alike] = [0, 0]
  for (const gradient of gradients) {
    for (let neuron = 0; neuron < width; neuron++) {
      const own = gradient.map((row) => row[neuron]!).filter((value) => value !== 0)
      if (own.length === 0) continue
      learning++
      if (own.every((value) => value > 0) || own.every((value) => value < 0)) alike++
    }
  }
  return alike / learning
}

/**
 * A neuron's incoming gradients are what comes in times one number: behind an activation that is never negative they all
 * have one sign, for each sample. In a batch, whose samples differ in sign, they need not.
 */
export function gradientSigns(): Lesson {
  const x = t.normal(t.key(1), [samples, width])
  // What the loss is to change the output by: of both signs, so that what comes back is too.
  const wanted = t.normal(t.key(3), [samples, 1])
  const cells: { where: string; early: string; deep: string; share: number }[] = []
  let ofBatch = 1
  for (const [early, first] of Object.entries(activations)) {
    for (const [deep, second] of Object.entries(activations)) {
      const layer = (): ReturnType<typeof linear<number, number>> => linear(width, width)
      const model = sequential(
        layer(),
        first(),
        layer(),
        first(),
        layer(),
        second(),
        layer(),
        second(),
        linear(width, 1),
      )
      const { params, state } = model.init(t.key(2), [width])
      type Params = typeof params
      const loss = (params: Params, x: t.Tensor, wanted: t.Tensor): t.Tensor =>
        t.sum(t.mul(model.apply(params, state, x, { training: true, path: '' }).y, wanted))
      const one = (params: Params, row: t.Tensor, wanted: t.Tensor): t.Tensor =>
        loss(params, t.reshape(row, [1, width]), wanted)
      const each = t.vmap(t.grad(one), { inAxes: [null, 0, 0] })(params, x, wanted)
      // The layer behind an early activation, and the one behind a deep one.
      const [near, far] = [each.layers[2].weight, each.layers[6].weight]
      cells.push({ where: 'early layer', early, deep, share: shareOfOneSign(near.toArray() as number[][][]) })
      cells.push({ where: 'deep layer', early, deep, share: shareOfOneSign(far.toArray() as number[][][]) })
      if (early === 'sigmoid' && deep === 'sigmoid')
        ofBatch = shareOfOneSign([t.grad(loss)(params, x, wanted).layers[2].weight.toArray() as number[][]])
    }
  }
  const behind = (names: readonly string[]): number[] =>
    cells
      .filter((cell) => names.includes(cell.where === 'early layer' ? cell.early : cell.deep))
      .map(({ share }) => share)
  const [least, most] = [
    Math.min(...behind(['sigmoid', 'relu'])),
    Math.max(...behind(['tanh', 'leakyRelu', 'identity'])),
  ]
  return {
    title: 'Gradients of one sign',
    claims: [
      claim(`behind sigmoid and ReLU the share is ${shown(least)} in every pair`, least === 1),
      claim(`behind the others it is ${shown(most)} at most`, most < 0.2),
      claim(
        `that holds for samples: of the whole batch's gradients behind sigmoid it is ${shown(ofBatch)}`,
        ofBatch < 1,
      ),
    ],
    svg: draw('Share of neurons whose gradients all have one sign, by sample', {
      width: 820,
      marginLeft: 80,
      marginTop: 80,
      x: {
        label: 'deep activation',
        labelAnchor: 'center',
        labelArrow: 'none',
        domain: Object.keys(activations),
      },
      y: {
        label: 'early activation',
        labelAnchor: 'center',
        labelArrow: 'none',
        domain: Object.keys(activations),
      },
      fx: { label: null, domain: ['early layer', 'deep layer'] },
      color: { type: 'linear', scheme: 'Blues', domain: [0, 1.6] },
      marks: [
        Plot.cell(cells, { x: 'deep', y: 'early', fx: 'where', fill: 'share', inset: 1 }),
        Plot.text(cells, {
          x: 'deep',
          y: 'early',
          fx: 'where',
          text: ({ share }: { share: number }) => share.toFixed(2),
          fill: 'black',
        }),
      ],
    }),
  }
}
