import { memory } from '@tapeflow/autodiff'
import { describe, expect, test } from 'vitest'
import { centres, ring, type Spread, spreadOf } from './ring.ts'
import { trainGan } from './train.ts'

describe('spreadOf', () => {
  const at = (points: readonly (readonly [number, number])[]): Float32Array =>
    Float32Array.from({ length: 800 * 2 }, (_, i) => points[(i >> 1) % points.length]![i % 2]!)

  test('of the centres is all of it, of one centre one', () => {
    expect(spreadOf(at(centres))).toEqual({ covered: 8, near: 1 })
    expect(spreadOf(at(centres.slice(2, 3)))).toEqual({ covered: 1, near: 1 })
  })
  test('leaves out points that are far, and clouds that have next to none', () => {
    expect(spreadOf(at([[0, 0], centres[0]!]))).toEqual({ covered: 1, near: 0.5 })
    const off = ring.radius + 3.1 * ring.deviation
    expect(spreadOf(at([[off, 0]]))).toEqual({ covered: 0, near: 0 })
    // 40 of 800 points: a quarter of a share is 25.
    const rare = (count: number): Float32Array => {
      const points = at([centres[1]!])
      for (let i = 0; i < count; i++) points.set(centres[5]!, 2 * i)
      return points
    }
    expect([spreadOf(rare(24)).covered, spreadOf(rare(26)).covered]).toEqual([1, 2])
  })
})

describe('the step of two optimizers', () => {
  test('compiled gives the bits of eager, and leaves nothing in the heap', async () => {
    const before = memory()
    const run = (compile: boolean): ReturnType<typeof trainGan> =>
      trainGan({ seed: 4, steps: 40, compile }, 64)
    const compiled = await run(true)
    expect(compiled).toEqual(await run(false))
    expect(Object.keys(compiled.losses[0]!)).toEqual(['discriminator', 'generator'])
    // Fewer, where what other tests left has been collected meanwhile.
    expect(memory().tensors).toBeLessThanOrEqual(before.tensors)
    expect(memory().bytes).toBeLessThanOrEqual(before.bytes)
  })

  test('begins far from the ring', async () => {
    expect(spreadOf((await trainGan({ seed: 1, steps: 1 }, 2048)).points).near).toBeLessThan(0.1)
  })
})

// GANs are judged over seeds, and at length in `npm run test:long`.
const { seeds, steps, covered, near, median } =
  import.meta.env['LONG'] === '1'
    ? { seeds: 5, steps: 4000, covered: 8, near: 0.85, median: 0.9 }
    : { seeds: 1, steps: 600, covered: 6, near: 0.3, median: 0.3 }

test(`after ${steps} steps, seeds 1 to ${seeds}: ${covered} clouds are covered, and ${median} of the points near one`, {
  timeout: 1_200_000,
}, async () => {
  const found: Spread[] = []
  for (let seed = 1; seed <= seeds; seed++) {
    found.push(spreadOf((await trainGan({ seed, steps }, 2048)).points))
  }
  console.log(`GAN: ${found.map((one) => `${one.covered} covered, ${one.near.toFixed(3)} near`).join('; ')}`)
  const shares = found.map((one) => one.near).sort((a, b) => a - b)
  expect(Math.min(...found.map((one) => one.covered))).toBeGreaterThanOrEqual(covered)
  expect(shares[0]).toBeGreaterThan(near)
  expect(shares[seeds >> 1]).toBeGreaterThan(median)
})
