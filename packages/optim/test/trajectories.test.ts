import * as t from '@tapeflow/autodiff'
import { adam, cosineDecay, join, type Optimizer, type Schedule, sgd, warmup } from '@tapeflow/optim'
import { describe, expect, test } from 'vitest'
import { type Params, type Problem, problems } from './problems.ts'
import { adamReference, type Reference, sgdReference } from './references.ts'

interface Row {
  readonly name: string
  readonly optimizer: (rate: number) => Optimizer<string>
  readonly reference: (rate: number) => Reference
}

const constantly = (rate: number) => (): number => rate
const upAndDown = (rate: number): Schedule =>
  join([warmup({ to: rate, steps: 10 }), cosineDecay({ from: rate, steps: 20 })], [10])
const upAndDownReference = (rate: number) => (step: number) =>
  step < 10 ? (rate * step) / 10 : (rate * (1 + Math.cos((Math.PI * (step - 10)) / 20))) / 2
const adamRow = (options: {
  beta1?: number
  beta2?: number
  epsilon?: number
  epsilonRoot?: number
}): Row => ({
  name: `adam ${JSON.stringify(options)}`,
  optimizer: (rate) => adam({ learningRate: rate, ...options }),
  reference: (rate) => adamReference(constantly(rate), options),
})

// A new optimizer is a row.
const rows: readonly Row[] = [
  {
    name: 'sgd',
    optimizer: (rate) => sgd({ learningRate: rate }),
    reference: (rate) => sgdReference(constantly(rate)),
  },
  {
    name: 'sgd with momentum 0.9',
    optimizer: (rate) => sgd({ learningRate: rate / 10, momentum: 0.9 }),
    reference: (rate) => sgdReference(constantly(rate / 10), 0.9),
  },
  {
    name: 'sgd with momentum 0.5 on a schedule',
    optimizer: (rate) => sgd({ learningRate: upAndDown(rate), momentum: 0.5 }),
    reference: (rate) => sgdReference(upAndDownReference(rate), 0.5),
  },
  adamRow({}),
  adamRow({ beta1: 0.5, beta2: 0.9 }),
  adamRow({ beta1: 0, beta2: 0.9 }),
  adamRow({ epsilon: 0.5 }),
  adamRow({ epsilon: 0, epsilonRoot: 0.5 }),
  {
    name: 'adam on a schedule',
    optimizer: (rate) => adam({ learningRate: upAndDown(rate) }),
    reference: (rate) => adamReference(upAndDownReference(rate)),
  },
]

const steps = 30
const flat = (tree: Params): number[] => t.leaves(tree).flatMap((x) => Array.from(x.toFloat32Array()))

function trajectory(optimizer: Optimizer<string>, problem: Problem): number[][] {
  const visited: number[][] = []
  t.scope(() => {
    const start = problem.start()
    const gradients = t.grad(problem.loss)
    t.fold(
      { params: start, slots: optimizer.init(start) },
      Array(steps).keys(),
      ({ params, slots }, step) => {
        const next = optimizer.update(gradients(params, step), slots, params, optimizer.hyper(step))
        visited.push(flat(next.params))
        return next
      },
    )
  })
  return visited
}

function expected(update: Reference, problem: Problem): number[][] {
  let params = t.scope(() => flat(problem.start()))
  return Array.from({ length: steps }, (_, step) => {
    params = update(params, problem.gradient(params, step), step)
    return params
  })
}

describe.each(rows)('$name follows its float64 definition for 30 steps', ({ optimizer, reference }) => {
  test.each(problems)('on $name', (problem) => {
    const visited = trajectory(optimizer(problem.rate), problem)
    const wanted = expected(reference(problem.rate), problem)
    for (const [step, point] of visited.entries()) {
      for (const [i, value] of point.entries()) {
        const right = wanted[step]![i]!
        expect(Math.abs(value - right), `step ${step}, parameter ${i}: ${value} for ${right}`).toBeLessThan(
          2e-5 * (1 + Math.abs(right)),
        )
      }
    }
  })
})
