import * as Plot from '@observablehq/plot'
import * as t from '@tapeflow/autodiff'
import { chain, clipByGlobalNorm, cosineDecay, descend, momentum, scaleByAdam } from '@tapeflow/optim'
import { draw } from '../draw.ts'
import { claim, type Lesson, shown } from '../lesson.ts'
import { train } from './train.ts'

const [samples, steps, tuning] = [64, 20, 60]
// Features of other sizes: the largest bounds the rate, the smallest needs a large one.
const sizes = [1, 0.5, 0.25, 0.12]

/** A learning rate found by gradient descent through twenty steps of training: updates are operations like any others. */
export function tunedRate(): Lesson {
  const x = t.mul(t.normal(t.key(1), [samples, sizes.length]), t.tensor(sizes))
  const noise = t.mul(t.normal(t.key(2), [samples]), 0.1)
  const y = t.add(t.sum(t.mul(x, t.tensor([1, -1, 2, -2])), { axis: 1 }), noise)
  const start = t.zeros([sizes.length])
  const loss = (weights: t.Tensor): t.Tensor =>
    t.mean(t.square(t.sub(t.sum(t.mul(x, weights), { axis: 1 }), y)))
  const slope = t.grad(loss)
  const optimizer = momentum({ learningRate: 0.1, momentum: 0.5 })
  /** The logarithm of the loss after twenty steps at the rate e^logRate. */
  const after = (logRate: t.Tensor): t.Tensor => {
    const learningRate = t.exp(logRate)
    let at = { params: start, slots: optimizer.init(start) }
    for (let step = 0; step < steps; step++) {
      const hyper = { ...optimizer.hyper(step), learningRate }
      at = optimizer.update(slope(at.params), at.slots, at.params, hyper)
    }
    return t.log(loss(at.params))
  }
  const compiled = t.compile(after)
  const heightAt = (logRate: number): number => t.scope(() => compiled(t.tensor(logRate)).item())
  const lossAt = (rate: number): number => Math.exp(heightAt(Math.log(rate)))
  const curve = Array.from({ length: 101 }, (_, i) => 10 ** (-2 + i / 40)).map((rate) => ({
    rate,
    loss: lossAt(rate),
  }))
  const grid = curve.filter((_, i) => i % 4 === 0)
  const best = grid.toSorted((a, b) => a.loss - b.loss)[0]!
  const differences = [0.03, 0.3, 1].map((rate) => {
    const [at, h] = [Math.log(rate), 1e-2]
    const exact = t.scope(() => t.grad(after)(t.tensor(at)).item())
    return Math.abs((heightAt(at + h) - heightAt(at - h)) / (2 * h) / exact - 1)
  })

  const path: { readonly rate: number; readonly loss: number }[] = []
  const end = train({
    optimizer: chain(
      clipByGlobalNorm(1),
      scaleByAdam({ beta1: 0.5, beta2: 0.9 }),
      descend({ learningRate: cosineDecay({ from: 0.25, steps: tuning }) }),
    ),
    loss: (logRate: t.Tensor) => after(logRate),
    start: t.tensor(Math.log(0.01)),
    data: () => null,
    steps: tuning,
    visit: ({ params, loss }) => path.push({ rate: Math.exp(params.item()), loss: Math.exp(loss) }),
  })
  const found = { rate: Math.exp(end.item()), loss: Math.exp(heightAt(end.item())) }
  const beyond = lossAt(1.1 * found.rate)
  compiled.dispose()
  const drawn = [...path, found]
  const notes = [
    { ...path[0]!, text: `from ${shown(path[0]!.rate)}` },
    { ...found, text: `to ${shown(found.rate)}` },
  ]
  return {
    title: 'A rate tuned through training',
    claims: [
      claim(
        `the gradient through ${steps} steps agrees with differences of losses to ${shown(Math.max(...differences))} of itself`,
        Math.max(...differences) < 0.01,
      ),
      claim(
        `descending along it ${tuning} times, the rate goes from ${shown(path[0]!.rate)} to ${shown(found.rate)}, the loss after ${steps} steps from ${shown(path[0]!.loss)} to ${shown(found.loss)}`,
        found.loss < path[0]!.loss / 30,
      ),
      claim(
        `the best of ${grid.length} fixed rates, ${shown(best.rate)}, gets ${shown(best.loss)}`,
        found.loss < best.loss,
      ),
      claim(`the rate found is at the edge: a tenth more gets ${shown(beyond)}`, beyond > 10 * found.loss),
    ],
    svg: draw(`The loss after ${steps} steps, and a descent of the rate on it`, {
      x: {
        type: 'log',
        tickFormat: (x: number) => String(x),
        ticks: 5,
        label: 'learning rate',
        labelAnchor: 'center',
        labelArrow: 'none',
        domain: [0.007, 3],
      },
      y: {
        type: 'log',
        label: null,
        grid: true,
        domain: [0.006, 2],
        tickFormat: (y: number) => String(y),
        ticks: 4,
      },
      marks: [
        Plot.text(['loss'], { frameAnchor: 'top-left', lineAnchor: 'bottom', dy: -8, fill: '#666' }),
        Plot.line(curve, { x: 'rate', y: 'loss', stroke: '#999', strokeWidth: 1.5, clip: true }),
        Plot.dot(drawn, { x: 'rate', y: 'loss', fill: '#d9480f', fillOpacity: 0.7, r: 3.5, clip: true }),
        Plot.text(notes, { x: 'rate', y: 'loss', text: 'text', dy: 16 }),
      ],
    }),
  }
}
