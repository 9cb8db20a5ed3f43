import { adam, chain, clipByGlobalNorm, momentum, type Optimizer, partition, sam, sgd } from '@tapeflow/optim'
import { inParts, isGenerator } from '../in-parts.ts'
import { rows as adamRows } from './adam.ts'
import { rows as modernRows } from './modern.ts'
import { rows as momentumRows } from './momentum.ts'
import type { Reference, Row } from './row.ts'

type Half = (rate: number) => Reference

/** Each half moves as its own reference says, which is shown nothing else and whose evaluate holds the other half. */
const split =
  (generator: Half, discriminator: Half) =>
  (rate: number): Reference => {
    const own = { generator: generator(rate), discriminator: discriminator(rate) }
    return (params, gradients, step, { evaluate, sizes, shapes, paths }) => {
      const owners = paths.flatMap((path, i) => Array<boolean>(sizes[i]!).fill(isGenerator(path)))
      const next = [...params]
      for (const [update, wanted] of [
        [own.generator, true],
        [own.discriminator, false],
      ] as const) {
        const places = owners.flatMap((owner, i) => (owner === wanted ? [i] : []))
        const tensors = paths.flatMap((path, i) => (isGenerator(path) === wanted ? [i] : []))
        const chosen = (flat: readonly number[]): number[] => places.map((i) => flat[i]!)
        const look = (at: readonly number[]): { value: number; gradient: number[] } => {
          const whole = [...params]
          for (const [k, i] of places.entries()) whole[i] = at[k]!
          const { value, gradient } = evaluate(whole)
          return { value, gradient: chosen(gradient) }
        }
        const moved = update(chosen(params), chosen(gradients), step, {
          evaluate: look,
          sizes: tensors.map((i) => sizes[i]!),
          shapes: tensors.map((i) => shapes[i]!),
          paths: tensors.map((i) => paths[i]!),
        })
        for (const [k, i] of places.entries()) next[i] = moved[k]!
      }
      return next
    }
  }

const referenceOf = (rows: readonly Row[], name: string): Half =>
  rows.find((row) => row.name === name)!.reference

const row = (
  name: string,
  optimizers: (rate: number) => { generator: Optimizer<string>; discriminator: Optimizer<string> },
  reference: Row['reference'],
  more?: Partial<Row>,
): Row => ({
  name: `partition: ${name}`,
  optimizer: (rate) => inParts(partition(optimizers(rate))),
  reference,
  byPath: 'which part a leaf belongs to goes by its path',
  rates: ['generator.learningRate', 'discriminator.learningRate'],
  ...more,
})

const [plain, heavy, adaptive] = [
  referenceOf(momentumRows, 'sgd'),
  referenceOf(momentumRows, 'momentum'),
  referenceOf(adamRows, 'adam {}'),
]

export const rows: readonly Row[] = [
  row(
    'adam and sgd',
    (rate) => ({ generator: adam({ learningRate: rate }), discriminator: sgd({ learningRate: rate }) }),
    split(adaptive, plain),
  ),
  row(
    'momentum and adam, which share no slot',
    (rate) => ({
      generator: momentum({ learningRate: rate / 10 }),
      discriminator: adam({ learningRate: rate }),
    }),
    split(heavy, adaptive),
  ),
  row(
    'sam of sgd and sam of momentum, each looking around alone',
    (rate) => ({
      generator: sam(sgd({ learningRate: rate })),
      discriminator: sam(momentum({ learningRate: rate / 10 }), { radius: 0.2, adaptive: true }),
    }),
    split(referenceOf(modernRows, 'sam of sgd'), referenceOf(modernRows, 'adaptive sam of momentum')),
    { trees: 10 },
  ),
  {
    ...row('behind a link', twice, split(plain, plain)),
    optimizer: (rate) => chain(clipByGlobalNorm(2), inParts(partition(twice(rate)))),
    reference: (rate) => {
      const inner = split(plain, plain)(rate)
      return (params, gradients, ...rest) => {
        const factor = 2 / Math.max(2, Math.hypot(...gradients))
        return inner(
          params,
          gradients.map((g) => g * factor),
          ...rest,
        )
      }
    },
    trees: 1,
    rates: ['1:generator.learningRate', '1:discriminator.learningRate'],
  },
]

function twice(rate: number): { generator: Optimizer<never>; discriminator: Optimizer<never> } {
  return { generator: sgd({ learningRate: rate }), discriminator: sgd({ learningRate: rate }) }
}
