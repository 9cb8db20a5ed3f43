import * as t from '@tapeflow/autodiff'
import fc from 'fast-check'
import { expect } from 'vitest'
import { drawFrom } from '../src/arbitraries/draws.ts'
import { assertAdjointIsConsistent, assertCompiledEqualsEager, assertLeavesNoTrace } from '../src/index.ts'
import { assertProperty } from './runs.ts'

// einsum has no record of its own. Random equations are compared with nested loops over all labels, in float64.

interface Case {
  readonly equation: string
  readonly shapes: readonly t.Shape[]
  /** A label for each axis, and those of the output: letters, and digits for axes under an ellipsis. */
  readonly inputs: readonly string[]
  readonly output: string
}

const letters = 'ijkBz'

const cases: fc.Arbitrary<Case> = fc
  .array(fc.nat(27719), { minLength: 60, maxLength: 60 })
  .map((numbers) => caseFrom(drawFrom(numbers)))

function caseFrom(draw: ReturnType<typeof drawFrom>): Case {
  const sizes = new Map<string, number>(
    [...letters, '2', '1'].map((label) => [label, draw.pick([2, 1, 3, 5, 0])]),
  )
  const terms: string[] = []
  const inputs: string[] = []
  const shapes: t.Shape[] = []
  for (let operand = draw.integer(0, 3) === 0 ? 1 : 2; operand > 0; operand--) {
    const own = Array.from(
      { length: draw.integer(0, 3) },
      () => letters[draw.integer(0, letters.length - 1)]!,
    )
    const covered = draw.integer(0, 2) === 2 ? ['', '1', '21'][draw.integer(0, 2)]! : null
    const at = covered === null ? 0 : draw.integer(0, own.length)
    const labels = [...own.slice(0, at), ...(covered ?? ''), ...own.slice(at)]
    terms.push(own.slice(0, at).join('') + (covered === null ? '' : '...') + own.slice(at).join(''))
    inputs.push(labels.join(''))
    const stretched = labels.filter(() => draw.integer(0, 5) === 5)
    shapes.push(labels.map((label) => (stretched.includes(label) ? 1 : sizes.get(label)!)))
  }
  const all = inputs.join('')
  const covered = ['2', '1'].filter((label) => all.includes(label)).join('')
  const space = draw.pick(['', ' '])
  const left = terms.join(`${space},${space}`)
  if (draw.integer(0, 3) === 0) {
    const once = [...letters].filter((label) => all.split(label).length === 2)
    return { equation: left, shapes, inputs, output: covered + once.sort().join('') }
  }
  const left0 = [...letters].filter((label) => all.includes(label) && draw.integer(0, 2) > 0)
  const named: string[] = []
  while (left0.length > 0) named.push(left0.splice(draw.integer(0, left0.length - 1), 1)[0]!)
  const at = draw.integer(0, named.length)
  const dots = covered === '' && draw.integer(0, 3) > 0 ? '' : '...'
  const [before, after] = [named.slice(0, at).join(''), named.slice(at).join('')]
  return {
    equation: `${left}${space}->${before}${dots}${after}`,
    shapes,
    inputs,
    output: before + covered + after,
  }
}

/** Sums and sums of magnitudes, over every value of every label. */
function loops(
  { shapes, inputs, output }: Case,
  values: readonly Float32Array[],
): { sums: number[]; magnitudes: number[] } {
  const labels = [...new Set(inputs.join(''))]
  const sizes = new Map(
    labels.map((label) => {
      const own = inputs.flatMap((term, i) =>
        [...term].flatMap((l, axis) => (l === label ? [shapes[i]![axis]!] : [])),
      )
      return [label, own.find((size) => size !== 1) ?? 1]
    }),
  )
  const count = t.sizeOf([...output].map((label) => sizes.get(label)!))
  const sums = new Array<number>(count).fill(0)
  const magnitudes = new Array<number>(count).fill(0)
  const at = new Map(labels.map((label) => [label, 0]))
  const visit = (depth: number): void => {
    if (depth < labels.length) {
      for (let i = 0; i < sizes.get(labels[depth]!)!; i++) {
        at.set(labels[depth]!, i)
        visit(depth + 1)
      }
      return
    }
    const into = [...output].reduce((place, label) => place * sizes.get(label)! + at.get(label)!, 0)
    const term = inputs.reduce((before, own, i) => {
      const place = [...own].reduce((p, label, axis) => {
        const size = shapes[i]![axis]!
        return p * size + (size === 1 ? 0 : at.get(label)!)
      }, 0)
      return before * values[i]![place]!
    }, 1)
    sums[into]! += term
    magnitudes[into]! += Math.abs(term)
  }
  visit(0)
  return { sums, magnitudes }
}

const inputsOf = ({ shapes }: Case): t.Tensor[] => shapes.map((shape, i) => t.normal(t.key(7 + i), shape))

/** What is asserted of einsum. */
export const einsumColumns: Readonly<Record<string, () => void>> = {
  'gives what nested loops give, for random equations': () => {
    const property = fc.property(cases, (drawn) => {
      t.scope(() => {
        const inputs = inputsOf(drawn)
        const y = t.einsum(drawn.equation, ...inputs)
        const { sums, magnitudes } = loops(
          drawn,
          inputs.map((x) => x.toFloat32Array()),
        )
        const found = y.toFloat32Array()
        expect(found).toHaveLength(sums.length)
        for (const [i, sum] of sums.entries()) {
          expect(Math.abs(found[i]! - sum)).toBeLessThanOrEqual(64 * 2 ** -24 * magnitudes[i]!)
        }
      })
    })
    assertProperty(property, 1000)
  },
  'has the gradients of those sums, and compiles to the same bits': () => {
    const property = fc.property(cases, (drawn) => {
      t.scope(() => {
        const inputs = inputsOf(drawn)
        const f = (x: readonly t.Tensor[]): t.Tensor => t.einsum(drawn.equation, ...x)
        assertAdjointIsConsistent(f, inputs)
        assertCompiledEqualsEager(f, inputs)
      })
    })
    assertProperty(property, 100)
  },
  'keeps its inputs and leaves nothing': () => {
    const property = fc.property(cases, (drawn) => {
      t.scope(() => {
        const inputs = inputsOf(drawn)
        assertLeavesNoTrace((x: readonly t.Tensor[]) => t.einsum(drawn.equation, ...x), inputs)
      })
    })
    assertProperty(property, 100)
  },
}
