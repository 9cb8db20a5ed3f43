import * as Plot from '@observablehq/plot'
import * as t from '@tapeflow/autodiff'
import { sgd } from '@tapeflow/optim'
import { draw } from '../draw.ts'
import { claim, type Lesson, shown } from '../lesson.ts'
import { shuffled } from './shuffled.ts'
import { train } from './train.ts'

const [samples, walkers, epochs, learningRate] = [32, 40, 60, 2]
const [truth, from] = [5, 12]

/** The mean over samples `[batch, walkers]` of (sin(w x) - sin(truth x))², of all walkers together: each has its own. */
const loss = (w: t.Tensor, x: t.Tensor): t.Tensor =>
  t.sum(t.mean(t.square(t.sub(t.sin(t.mul(w, x)), t.sin(t.mul(x, truth)))), { axis: 0 }))

/** A stochastic descent leaves a basin where batch descent stays: its noise carries it over the edge. */
export function noiseLeavesABasin(): Lesson {
  const at = Array.from({ length: samples }, (_, i) => -1 + (2 * i + 1) / samples)
  /** Positions of all walkers at the start of each epoch and at the end. */
  const run = (size: number, epochs: number, learningRate: number): number[][] => {
    const each = samples / size
    const orders = Array.from({ length: walkers }, (_, walker) =>
      shuffled(t.foldIn(t.key(1), walker), samples, epochs),
    )
    const positions: number[][] = []
    const end = train({
      optimizer: sgd({ learningRate }),
      loss,
      start: t.full([walkers], from),
      data: (step) =>
        t.tensor(
          Array.from({ length: size }, (_, row) => orders.map((order) => at[order[step * size + row]!]!)),
        ),
      steps: epochs * each,
      visit: ({ params, step }) => {
        if (step % each === 0) positions.push(params.toArray() as number[])
      },
    })
    return [...positions, end.toArray() as number[]]
  }
  const share = (positions: readonly (readonly number[])[]): number =>
    positions.at(-1)!.filter((w) => Math.abs(w - truth) < 0.3).length / walkers
  const runs = [
    { kind: 'batch', positions: run(samples, epochs, learningRate) },
    { kind: 'mini-batches of 4', positions: run(4, epochs, learningRate) },
    { kind: 'stochastic', positions: run(1, epochs, learningRate) },
  ]
  const [batch, mini, single] = runs.map(({ positions }) => positions) as [number[][], number[][], number[][]]
  const gentle = run(1, epochs, learningRate / 8)
  const long = run(samples, epochs * samples, learningRate)
  const basin = long.at(-1)![0]!
  const points = runs.flatMap(({ kind, positions }) =>
    positions.flatMap((now, epoch) => now.slice(0, 12).map((w, walker) => ({ kind, epoch, w, walker }))),
  )
  const shares = runs.map(({ kind, positions }) => ({
    kind,
    w: truth,
    epoch: epochs,
    share: share(positions),
  }))
  return {
    title: 'Noise leaves a basin',
    claims: [
      claim(
        `the frequency of a sine is ${truth}; from ${from}, batch descent ends in the basin at ${shown(basin)}, after ${epochs} updates and after ${long.length - 1}`,
        share(batch) === 0 && share(long) === 0 && Math.abs(batch.at(-1)![0]! - basin) < 0.1,
      ),
      claim(
        `of ${walkers} stochastic descents ${shown(100 * share(single))} % find ${truth}, by mini-batches of 4 ${shown(100 * share(mini))} %`,
        share(single) > 0.8 && share(mini) < share(single) / 2,
      ),
      claim(
        `at an eighth of the rate, and so of the noise, ${shown(100 * share(gentle))} % do`,
        share(gentle) < 0.2,
      ),
    ],
    svg: draw(`The frequency of a sine, learned from ${from} on: 12 of ${walkers} runs each`, {
      width: 900,
      height: 340,
      marginTop: 64,
      x: { label: 'epochs', labelAnchor: 'center', labelArrow: 'none', ticks: [0, 20, 40] },
      y: { label: null, grid: true, domain: [0, 32] },
      fx: { label: null, domain: runs.map(({ kind }) => kind), padding: 0.05 },
      color: { scheme: 'Observable10', type: 'categorical' },
      marks: [
        Plot.ruleY([truth], { stroke: '#2b8a3e', strokeDasharray: '4 4' }),
        Plot.line(points, {
          fx: 'kind',
          x: 'epoch',
          y: 'w',
          z: 'walker',
          stroke: '#4269d0',
          strokeOpacity: 0.55,
          clip: true,
        }),
        Plot.text(shares, {
          fx: 'kind',
          frameAnchor: 'top',
          dy: 10,
          text: ({ share }: { share: number }) => `${shown(100 * share)} % find it`,
          stroke: 'white',
          strokeWidth: 4,
          fill: '#222',
        }),
      ],
    }),
  }
}
