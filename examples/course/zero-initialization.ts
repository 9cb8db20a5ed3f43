import * as Plot from '@observablehq/plot'
import * as t from '@tapeflow/autodiff'
import {
  elu,
  gelu,
  identity,
  leakyRelu,
  linear,
  mse,
  relu,
  sequential,
  sigmoid,
  silu,
  softplus,
  softsign,
  tanh,
  zeros,
} from '@tapeflow/nn'
import { sgd } from '@tapeflow/optim'
import { descend } from './descend.ts'
import { draw } from './draw.ts'
import { claim, type Lesson, shown } from './lesson.ts'
import { rings } from './samples.ts'

const width = 8
/** 0 at 0: what goes through them stays 0. */
const nothing = { tanh, relu, leakyRelu, elu, gelu, silu, softsign, identity }
/** Above 0 at 0. */
const something = { sigmoid, softplus }

/** From zeros, sigmoids move and stay alike; behind activations that are 0 at 0, as most are, only the last bias moves. */
export function zeroInitialization(): Lesson {
  const { x, y } = rings(t.key(1), 16)
  const cells: { activation: string; parameter: string; moved: number }[] = []
  let spread = 0
  for (const [name, bent] of Object.entries({ ...something, ...nothing })) {
    const layers = [
      linear(2, width, { weight: zeros }),
      linear(width, width, { weight: zeros }),
      linear(width, 1, { weight: zeros }),
    ] as const
    const model = sequential(layers[0], bent(), layers[1], bent(), layers[2])
    const { params } = descend(model, model.init(t.key(1), [2]), {
      x,
      y,
      loss: mse(),
      optimizer: sgd({ learningRate: 0.5 }),
      steps: 100,
    })
    for (const [i, layer] of [params.layers[0], params.layers[2], params.layers[4]].entries()) {
      for (const [part, value] of Object.entries(layer)) {
        cells.push({ activation: name, parameter: `${part} ${i + 1}`, moved: t.max(t.abs(value)).item() })
      }
      // Units are columns: how far the columns of a weight are apart.
      const apart = t.max(t.sub(t.max(layer.weight, { axis: 1 }), t.min(layer.weight, { axis: 1 }))).item()
      if (Object.hasOwn(something, name)) spread = Math.max(spread, apart)
    }
  }
  const moving = (name: string): string[] =>
    cells
      .filter(({ activation, moved }) => activation === name && moved !== 0)
      .map(({ parameter }) => parameter)
  return {
    title: 'Zero weights',
    claims: [
      claim(`with sigmoids ${moving('sigmoid').join(', ')} move`, moving('sigmoid').length === 6),
      claim(`with softplus too: ${moving('softplus').join(', ')}`, moving('softplus').length === 6),
      claim(`but units stay alike: the columns of each weight differ by ${shown(spread)}`, spread < 1e-6),
      ...Object.keys(nothing).map((name) =>
        claim(`with ${name} only ${moving(name).join(', ')} moves`, moving(name).join() === 'bias 3'),
      ),
    ],
    svg: draw('How far parameters get from zero in 100 steps', {
      marginLeft: 80,
      marginTop: 70,
      x: { label: null, domain: ['weight 1', 'bias 1', 'weight 2', 'bias 2', 'weight 3', 'bias 3'] },
      y: { label: null, domain: Object.keys({ ...something, ...nothing }) },
      color: { type: 'sqrt', scheme: 'Blues', domain: [0, 2] },
      marks: [
        Plot.cell(cells, { x: 'parameter', y: 'activation', fill: 'moved', inset: 1 }),
        Plot.text(cells, {
          x: 'parameter',
          y: 'activation',
          text: ({ moved }: { moved: number }) => shown(moved),
          fill: 'black',
        }),
      ],
    }),
  }
}
