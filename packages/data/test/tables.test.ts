import { expect, test } from 'vitest'
import { type Batch, type Dataset, type IrisFlower, iris, type Penguin, penguins } from '../src/index.ts'
import { refusal } from './refusal.ts'

const whole = <T>(data: Dataset<T>): { readonly [name in keyof T]: Batch } => {
  const [all] = data.batch(data.length!)
  return all!
}
const counts = (labels: Float32Array, classes: number): number[] =>
  Array.from({ length: classes }, (_, label) => labels.filter((each) => each === label).length)
const mean = (values: Iterable<number>): number => {
  const all = [...values]
  return all.reduce((sum, value) => sum + value, 0) / all.length
}
const measures = ['billLength', 'billDepth', 'flipperLength', 'bodyMass'] as const

test('iris are 50 flowers of each species, with the means that Fisher published', () => {
  const { x, y } = whole<IrisFlower>(iris())
  expect([x.shape, y.shape]).toEqual([[150, 4], [150]])
  expect(counts(y.values, 3)).toEqual([50, 50, 50])
  // The means are exact: sums of tenths over 50.
  const published = [
    [5.006, 3.428, 1.462, 0.246],
    [5.936, 2.77, 4.26, 1.326],
    [6.588, 2.974, 5.552, 2.026],
  ]
  published.forEach((means, label) => {
    means.forEach((expected, feature) => {
      const own = x.values.filter((_, i) => i % 4 === feature && y.values[i >> 2] === label)
      expect(mean(own)).toBeCloseTo(expected, 5)
    })
  })
})

test('iris split by position into parts with the same share of each species', () => {
  const { train, test: held } = iris().split({ train: 105, test: 45 })
  expect(counts(whole<IrisFlower>(train).y.values, 3)).toEqual([35, 35, 35])
  expect(counts(whole<IrisFlower>(held).y.values, 3)).toEqual([15, 15, 15])
})

test('penguins are 344, of which 11 lack a value: 2 all measures and the sex, 9 the sex alone', () => {
  const all = whole<Penguin>(penguins({ missing: 'keep' }))
  expect(all.bodyMass.shape).toEqual([344])
  expect(counts(all.species.values, 3)).toEqual([152, 68, 124])
  expect(counts(all.island.values, 3)).toEqual([168, 124, 52])
  expect(counts(all.sex.values, 2)).toEqual([165, 168])
  expect(all.sex.values.filter(Number.isNaN).length).toBe(11)
  for (const name of measures) {
    const gone = [...all[name].values.keys()].filter((i) => Number.isNaN(all[name].values[i]))
    expect(gone.length).toBe(2)
    expect(gone.every((i) => Number.isNaN(all.sex.values[i]))).toBe(true)
  }
})

test('complete penguins have the means that R states of them', () => {
  const complete = whole<Penguin>(penguins())
  expect(complete.species.shape).toEqual([333])
  expect(counts(complete.species.values, 3)).toEqual([146, 68, 119])
  for (const { values } of Object.values(complete)) expect(values.some(Number.isNaN)).toBe(false)
  // colMeans(na.omit(palmerpenguins::penguins)[, 3:6])
  const published = [43.99279, 17.16486, 200.96697, 4207.05706]
  measures.forEach((name, i) => {
    expect(mean(complete[name].values) / published[i]!).toBeCloseTo(1, 6)
  })
})

test('stretches of penguins hold every species in its share', () => {
  const { train, test: held } = penguins().split({ train: 233, test: 100 })
  expect(counts(whole<Penguin>(train).species.values, 3)).toEqual([102, 48, 83])
  expect(counts(whole<Penguin>(held).species.values, 3)).toEqual([44, 20, 36])
})

test('names of labels are as many as labels', () => {
  expect(iris().labelNames.length).toBe(3)
  expect(iris().featureNames.length).toBe(4)
  expect(penguins().labelNames).toEqual({
    species: ['Adelie', 'Chinstrap', 'Gentoo'],
    island: ['Biscoe', 'Dream', 'Torgersen'],
    sex: ['female', 'male'],
  })
})

test('refuses another treatment of missing values', () => {
  // @ts-expect-error no such treatment
  expect(() => penguins({ missing: 'mean' })).toThrow(
    refusal(TypeError, "penguins: missing must be 'drop' or 'keep', got 'mean'"),
  )
})
