import * as Plot from '@observablehq/plot'
import * as t from '@tapeflow/autodiff'
import { adagrad, adam, momentum, nesterov, type Optimizer, rmsprop, sgd } from '@tapeflow/optim'
import { draw } from '../draw.ts'
import { claim, type Lesson, shown } from '../lesson.ts'
import { walk } from './walk.ts'

/** Beale's function: a plateau around a curved valley that ends at (3, 0.5). */
const beale = ({ x, y }: { x: t.Tensor; y: t.Tensor }): t.Tensor =>
  [1.5, 2.25, 2.625]
    .map((constant, i) => t.square(t.add(t.sub(t.mul(x, t.pow(y, i + 1)), x), constant)))
    .reduce((a, b) => t.add(a, b))

const bottom = { x: 3, y: 0.5 }
const start = { x: 1, y: 1.5 }
const steps = 200

interface Spot {
  readonly x: number
  readonly y: number
}
const distance = (a: Spot, b: Spot): number => Math.hypot(a.x - b.x, a.y - b.y)

const optimizers: Readonly<Record<string, Optimizer<string>>> = {
  'sgd, 0.01': sgd({ learningRate: 0.01 }),
  'momentum, 0.005': momentum({ learningRate: 0.005 }),
  'Nesterov, 0.005': nesterov({ learningRate: 0.005 }),
  'AdaGrad, 0.5': adagrad({ learningRate: 0.5 }),
  'RMSProp, 0.05': rmsprop({ learningRate: 0.05 }),
  'Adam, 0.2': adam({ learningRate: 0.2 }),
}

/** The ways of six optimizers over one landscape. */
export function trajectories(): Lesson {
  const from = { x: t.tensor([start.x]), y: t.tensor([start.y]) }
  const paths = Object.entries(optimizers).map(([name, optimizer], i) => ({
    name,
    column: i % 3,
    row: Math.floor(i / 3),
    spots: walk(optimizer, beale, from, steps).map(({ x, y }): Spot => ({ x: x[0]!, y: y[0]! })),
  }))
  const spots = paths.map(({ spots }) => spots)
  const [plain, heavy, ahead, scaled, recent, adaptive] = spots as [
    Spot[],
    Spot[],
    Spot[],
    Spot[],
    Spot[],
    Spot[],
  ]
  const left = (spots: readonly Spot[]): number => distance(spots.at(-1)!, bottom)
  const arrival = (spots: readonly Spot[]): number => spots.findIndex((spot) => distance(spot, bottom) < 0.1)
  const length = (spots: readonly Spot[]): number =>
    spots.slice(1).reduce((sum, spot, i) => sum + distance(spot, spots[i]!), 0)
  const beyond = (spots: readonly Spot[]): number => Math.max(...spots.map(({ x }) => x)) - bottom.x
  const first = { x: adaptive[1]!.x - start.x, y: adaptive[1]!.y - start.y }
  const stride = (spots: readonly Spot[]): number => length(spots.slice(-21)) / 20

  const labels = paths.map(({ name, column, row, spots }) => ({
    column,
    row,
    name,
    found: `${shown(left(spots))} from the minimum`,
  }))
  const facets = { fx: 'column', fy: 'row' }
  const heights = (x: number, y: number): number =>
    Math.log(
      [1.5, 2.25, 2.625].reduce((sum, constant, i) => sum + (constant - x + x * y ** (i + 1)) ** 2, 1e-3),
    )
  return {
    title: 'Six ways down one landscape',
    claims: [
      claim(
        `after ${steps} steps sgd is ${shown(left(plain))} from the minimum; momentum comes within 0.1 of it at step ${arrival(heavy)}, with half the rate`,
        arrival(plain) < 0 && arrival(heavy) > 0 && arrival(heavy) < 60,
      ),
      claim(
        `momentum overshoots by ${shown(beyond(heavy))}, Nesterov's, with the same numbers, by ${shown(beyond(ahead))}`,
        beyond(ahead) < 0.6 * beyond(heavy) && beyond(ahead) > 0,
      ),
      claim(
        `Nesterov's way is ${shown(length(ahead))} long, momentum's ${shown(length(heavy))}`,
        length(ahead) < 0.8 * length(heavy),
      ),
      claim(
        `Adam's first step is ${shown(first.x)} along x and ${shown(first.y)} along y: its rate, whatever the slopes`,
        Math.abs(Math.abs(first.x) - 0.2) < 1e-5 && Math.abs(Math.abs(first.y) - 0.2) < 1e-5,
      ),
      claim(
        `RMSProp at a constant rate never rests: its last steps are ${shown(stride(recent))} long, AdaGrad's ${shown(stride(scaled))}, Adam's ${shown(stride(adaptive))}`,
        stride(recent) > 10 * stride(scaled) && stride(recent) > 10 * stride(adaptive),
      ),
    ],
    svg: draw('Beale’s function from (1, 1.5), 200 steps', {
      width: 900,
      height: 640,
      marginTop: 40,
      marginRight: 16,
      x: { label: 'x', labelAnchor: 'center', labelArrow: 'none', domain: [-0.6, 4.5], ticks: 5 },
      y: { label: null, domain: [-2.2, 1.8], ticks: 4 },
      fx: { axis: null, padding: 0.05 },
      fy: { axis: null, padding: 0.06 },
      color: { type: 'linear', scheme: 'Blues', reverse: true, domain: [-6, 9] },
      marks: [
        Plot.contour({
          x1: -0.6,
          x2: 4.5,
          y1: -2.2,
          y2: 1.8,
          fill: heights,
          thresholds: [-6.9, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5],
          pixelSize: 5,
          stroke: 'white',
          strokeWidth: 0.4,
        }),
        paths.map(({ spots, ...facet }) =>
          Plot.line(spots, {
            x: 'x',
            y: 'y',
            fx: () => facet.column,
            fy: () => facet.row,
            stroke: '#d9480f',
            strokeWidth: 1.2,
            clip: true,
          }),
        ),
        paths.map(({ spots, ...facet }) =>
          Plot.dot(spots.slice(0, 80), {
            x: 'x',
            y: 'y',
            fx: () => facet.column,
            fy: () => facet.row,
            fill: '#d9480f',
            r: 1.8,
            clip: true,
          }),
        ),
        Plot.dot([bottom], { x: 'x', y: 'y', symbol: 'star', fill: '#ffd43b', stroke: '#222', r: 5 }),
        Plot.text(labels, {
          ...facets,
          text: 'name',
          frameAnchor: 'top-right',
          dx: -8,
          dy: 8,
          fontWeight: 'bold',
        }),
        Plot.text(labels, { ...facets, text: 'found', frameAnchor: 'top-right', dx: -8, dy: 24 }),
      ],
    }),
  }
}
