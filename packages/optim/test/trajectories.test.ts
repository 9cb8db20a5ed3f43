import * as t from '@tapeflow/autodiff'
import { nesterov, type Optimizer } from '@tapeflow/optim'
import { describe, expect, test } from 'vitest'
import golden from './golden/pytorch.json' with { type: 'json' }
import { type Params, type Problem, problems } from './problems.ts'
import { rows } from './rows/index.ts'
import type { Reference } from './rows/row.ts'

const steps = 30
const flat = (tree: Params): number[] => t.leaves(tree).flatMap((x) => Array.from(x.toFloat32Array()))

function trajectory(optimizer: Optimizer<string>, problem: Problem): number[][] {
  const visited: number[][] = []
  t.scope(() => {
    const start = problem.start()
    const evaluate = t.valueAndGrad(problem.loss)
    t.fold(
      { params: start, slots: optimizer.init(start) },
      Array(steps).keys(),
      ({ params, slots }, step) => {
        const at = (where: Params): { value: t.Tensor; gradients: Params } => evaluate(where, step)
        const next = optimizer.update(at(params).gradients, slots, params, optimizer.hyper(step), at)
        visited.push(flat(next.params))
        return next
      },
    )
  })
  return visited
}

function expected(update: Reference, problem: Problem): number[][] {
  const start: number[][] = []
  const shapes: t.Shape[] = []
  const paths: string[] = []
  t.scope(() => {
    const tree = problem.start()
    start.push(...t.leaves(tree).map((x) => Array.from(x.toFloat32Array())))
    shapes.push(...t.leaves(tree).map((x) => x.shape))
    paths.push(...t.paths(tree))
  })
  const sizes = start.map(({ length }) => length)
  let params = start.flat()
  return Array.from({ length: steps }, (_, step) => {
    const evaluate = (at: readonly number[]): { value: number; gradient: number[] } => ({
      value: problem.value(at, step),
      gradient: problem.gradient(at, step),
    })
    params = update(params, problem.gradient(params, step), step, { evaluate, sizes, shapes, paths })
    return params
  })
}

function compare(
  visited: readonly number[][],
  wanted: readonly (readonly number[])[],
  tolerance: number,
): void {
  for (const [step, point] of visited.entries()) {
    for (const [i, value] of point.entries()) {
      const right = wanted[step]![i]!
      expect(Math.abs(value - right), `step ${step}, parameter ${i}: ${value} for ${right}`).toBeLessThan(
        tolerance * (1 + Math.abs(right)),
      )
    }
  }
}

describe.each(rows)(
  '$name follows its float64 definition for 30 steps',
  ({ optimizer, reference, tolerance = 2e-5, tolerances }) => {
    test.each(problems)('on $name', (problem) => {
      compare(
        trajectory(optimizer(problem.rate), problem),
        expected(reference(problem.rate), problem),
        tolerances?.[problem.name] ?? tolerance,
      )
    })
  },
)

const trajectories: Readonly<Record<string, Readonly<Record<string, readonly (readonly number[])[]>>>> =
  golden.trajectories

const withGolden = rows.filter((row) => row.golden !== undefined)
describe.each(withGolden)(
  '$name goes where PyTorch goes',
  ({ optimizer, tolerance = 2e-5, tolerances, ...row }) => {
    test.each(problems)('on $name', (problem) => {
      compare(
        trajectory(optimizer(problem.rate), problem),
        trajectories[row.golden!]![problem.name]!,
        tolerances?.[problem.name] ?? tolerance,
      )
    })
  },
)

// Notes take the gradient at the point ahead, u - β v, and move u.
describe('nesterov is where the look-ahead form takes its gradients', () => {
  test.each(problems)('on $name', (problem) => {
    const [beta, rate] = [0.9, problem.rate / 10]
    const ahead: number[][] = []
    let u: number[] = []
    t.scope(() => {
      u = flat(problem.start())
    })
    let v = u.map(() => 0)
    for (let step = 0; step < steps; step++) {
      const gradient = problem.gradient(
        u.map((x, i) => x - beta * v[i]!),
        step,
      )
      v = v.map((x, i) => beta * x + rate * gradient[i]!)
      u = u.map((x, i) => x - v[i]!)
      ahead.push(u.map((x, i) => x - beta * v[i]!))
    }
    compare(trajectory(nesterov({ learningRate: rate }), problem), ahead, 2e-5)
  })
})

test('all that PyTorch was run with is compared', () => {
  expect(new Set(withGolden.map((row) => row.golden))).toEqual(new Set(Object.keys(trajectories)))
})
