import { fromSnapshot, leaves, scope, type Tensor, vjp } from '@tapeflow/autodiff'
import { operations } from '@tapeflow/autodiff/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { randomLike, samples } from '../src/index.ts'
import { columns } from './columns.ts'
import { isDifferentiable, lawTable } from './law-table.ts'

describe('the table of laws', () => {
  it('has the columns of the matrix, in their order', () => {
    expect(Object.keys(lawTable), 'say in law-table.ts where the law says anything').toEqual(
      Object.keys(columns),
    )
  })

  it('calls operations differentiable that are: some gradient is not 0, and for the others all are', () => {
    for (const info of operations) {
      const isMoved = fc.sample(samples(info), { numRuns: 30, seed: 1 }).some(({ call, inputs }) =>
        scope(() => {
          const all = fromSnapshot(inputs)
          const f = (x: typeof all): readonly Tensor[] => [call(...x)]
          const { gradients } = vjp(f, all, randomLike(f(all), 1))
          return leaves(gradients).some((x) => x.toFloat32Array().some((value) => value !== 0))
        }),
      )
      expect(isMoved, info.operation.name).toBe(isDifferentiable(info))
    }
  })

  it('leaves no differentiable operation out of first and second derivatives: samples hold what to differentiate by', () => {
    const rows = operations.filter(isDifferentiable)
    // A number that is too low says that something has lost its gradient.
    expect(rows.length).toBeGreaterThanOrEqual(111)
    for (const info of rows) {
      const found = fc
        .sample(samples(info), { numRuns: 50, seed: 1 })
        .filter(({ inputs, domains }) =>
          inputs.some(({ values }, i) => values.length > 0 && domains[i]!.integer !== true),
        )
      expect(found.length, info.operation.name).toBeGreaterThanOrEqual(25)
    }
  })
})
