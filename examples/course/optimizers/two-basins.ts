import * as Plot from '@observablehq/plot'
import * as t from '@tapeflow/autodiff'
import { momentum, nesterov, type Optimizer, sgd } from '@tapeflow/optim'
import { draw } from '../draw.ts'
import { claim, type Lesson, shown } from '../lesson.ts'
import { median } from '../median.ts'
import { walk } from './walk.ts'

const well = (x: t.Tensor, depth: number, center: number, width: number): t.Tensor =>
  t.mul(t.exp(t.mul(t.square(t.sub(x, center)), -1 / width)), -depth)

/** A bowl with a shallow basin near -2 and a deep one near 1.5. */
const height = ({ x }: { x: t.Tensor }): t.Tensor =>
  t.add(t.mul(t.square(x), 0.04), t.add(well(x, 0.55, -2, 0.6), well(x, 1.5, 1.5, 1.2)))

const [from, learningRate, steps, starts] = [-4.5, 0.2, 300, 600]

/** Momentum carries through a shallow basin; Nesterov's brakes ahead of it: sooner at rest, and oftener in the wrong place. */
export function twoBasins(): Lesson {
  const run = (optimizer: Optimizer<string>, xs: t.Tensor): readonly (readonly number[])[] =>
    walk(optimizer, height, { x: xs }, steps).map(({ x }) => x)
  const optimizers = {
    sgd: sgd({ learningRate }),
    'momentum, β = 0.5': momentum({ learningRate, momentum: 0.5 }),
    'momentum, β = 0.9': momentum({ learningRate, momentum: 0.9 }),
    'Nesterov, β = 0.9': nesterov({ learningRate, momentum: 0.9 }),
  }
  const paths = Object.entries(optimizers).map(([name, optimizer]) => ({
    name,
    xs: run(optimizer, t.tensor([from])).map(([x]) => x!),
  }))
  const ends = paths.map(({ xs }) => xs.at(-1)!)
  const bottoms = run(sgd({ learningRate: 0.1 }), t.tensor([-2, 1.5])).at(-1)!
  const [shallow, deep] = [bottoms[0]!, bottoms[1]!]
  const near = (x: number, place: number): boolean => Math.abs(x - place) < 0.02

  // From everywhere left of the deep basin: who ends elsewhere, and how long the others take.
  const everywhere = t.linspace(-6, 0, starts)
  const [heavy, ahead] = [optimizers['momentum, β = 0.9'], optimizers['Nesterov, β = 0.9']].map((optimizer) =>
    run(optimizer, everywhere),
  ) as [readonly (readonly number[])[], readonly (readonly number[])[]]
  const arrived = (positions: readonly (readonly number[])[], i: number): boolean =>
    near(positions.at(-1)![i]!, deep)
  /** The first step from which on a walker stays at the deep bottom. */
  const settled = (positions: readonly (readonly number[])[], i: number): number =>
    positions.findLastIndex((xs) => !near(xs[i]!, deep)) + 1
  const all = [...Array(starts).keys()]
  const stuck = (positions: readonly (readonly number[])[]): number =>
    all.filter((i) => !arrived(positions, i)).length / starts
  const both = all.filter((i) => arrived(heavy, i) && arrived(ahead, i))
  const [heavySteps, aheadSteps] = [heavy, ahead].map((positions) =>
    median(both.map((i) => settled(positions, i))),
  ) as [number, number]

  const grid = t.linspace(-5.2, 4.2, 200)
  const heights = height({ x: grid }).toFloat32Array()
  const landscape = Array.from(grid.toFloat32Array(), (x, i) => ({ x, y: heights[i]! }))
  const points = paths.flatMap(({ name, xs }) => {
    const ys = height({ x: t.tensor(xs) }).toFloat32Array()
    return xs.slice(0, 120).map((x, i) => ({ name, x, y: ys[i]!, step: i }))
  })
  const rests = paths.map(({ name, xs }) => ({ name, x: xs.at(-1)!, y: -1.85 }))
  return {
    title: 'Two basins',
    claims: [
      claim(
        `from ${from}, sgd stays in the shallow basin: it ends at ${shown(ends[0]!)}, whose bottom is at ${shown(shallow)}`,
        near(ends[0]!, shallow),
      ),
      claim(
        `so does momentum with β = 0.5: ${shown(ends[1]!)}; with 0.9 it crosses to ${shown(ends[2]!)}`,
        near(ends[1]!, shallow) && near(ends[2]!, deep),
      ),
      claim(
        `of ${starts} starts from -6 to 0, momentum gets ${shown(100 * stuck(heavy))} % stuck, Nesterov's ${shown(100 * stuck(ahead))} %`,
        stuck(heavy) < 0.5 && stuck(ahead) > stuck(heavy) + 0.2,
      ),
      claim(
        `from the ${both.length} that bring both to the deep basin, momentum is at rest after ${heavySteps} steps, Nesterov's after ${aheadSteps} (median)`,
        both.length > 100 && aheadSteps < heavySteps / 2,
      ),
    ],
    svg: draw('From one start over a shallow basin, towards a deep one', {
      width: 900,
      height: 300,
      marginTop: 76,
      x: { label: 'x', labelAnchor: 'center', labelArrow: 'none', ticks: [-4, -2, 0, 2, 4] },
      y: { label: null, ticks: [-1, 0, 1], domain: [-2.1, 1.1] },
      fx: { label: null, domain: paths.map(({ name }) => name), padding: 0.06 },
      color: { scheme: 'Viridis', reverse: true },
      marks: [
        Plot.line(landscape, { x: 'x', y: 'y', stroke: '#999', strokeWidth: 1.5 }),
        Plot.dot(points, { fx: 'name', x: 'x', y: 'y', fill: 'step', r: 2.6, fillOpacity: 0.8 }),
        Plot.text(rests, {
          fx: 'name',
          x: 'x',
          y: 'y',
          text: ({ x }: { x: number }) => `rests at ${shown(x)}`,
          fill: '#222',
        }),
      ],
    }),
  }
}
