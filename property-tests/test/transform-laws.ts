import * as t from '@tapeflow/autodiff'
import { expect } from 'vitest'
import {
  assertCompiledEqualsEager,
  assertGradientIsCorrect,
  assertLeavesNoTrace,
  assertSecondOrderIsCorrect,
} from '../src/index.ts'
import type { Row } from './matrix.ts'

// One function of a tree, with a value that is used twice, one that is not used, and one that is handed through.
type Inputs = { readonly w: t.Tensor; readonly rest: readonly [b: t.Tensor, unused: t.Tensor] }

const layer = ({ w, rest: [b] }: Inputs): t.Tensor => {
  const h = t.tanh(t.add(w, b))
  return t.add(t.mul(h, w), h)
}
const total = (inputs: Inputs): t.Tensor => t.sum(t.square(layer(inputs)))
const checkpointed = (inputs: Inputs): t.Tensor => t.sum(t.square(t.checkpoint(layer)(inputs)))
const points = (): Inputs => ({
  w: t.normal(t.key(1), [3, 5]),
  rest: [t.normal(t.key(2), [5]), t.normal(t.key(3), [2])],
})

const atPoints = (check: (inputs: Inputs) => void) => (): void => {
  t.scope(() => check(points()))
}

const numbers = (tree: t.Tree): number[][] => t.leaves(tree).map((x) => Array.from(x.toFloat32Array()))

/** Laws of the transforms: what they give is what they are defined by. */
export const transformLaws: readonly Row[] = [
  {
    name: 'grad',
    laws: {
      'equals finite differences, to second order': atPoints((inputs) => {
        assertGradientIsCorrect(total, inputs)
        assertSecondOrderIsCorrect(total, inputs)
      }),
      'gives the value, the gradients, and what is handed out beside': atPoints((inputs) => {
        const f = (x: Inputs, scale: t.Tensor): { value: t.Tensor; aux: Inputs } => ({
          value: t.mul(total(x), scale),
          aux: x,
        })
        const scale = t.tensor(2)
        const { value, gradients, aux } = t.valueAndGrad(f)(inputs, scale)
        expect(value.item()).toBe(2 * total(inputs).item())
        expect(numbers(aux)).toEqual(numbers(inputs))
        const pulled = t.vjp((x: Inputs) => f(x, scale).value, inputs, t.tensor(1))
        expect(numbers(gradients)).toEqual(numbers(pulled.gradients))
        expect(numbers(pulled.value)).toEqual(numbers(value))
      }),
      'of an input that is handed through, or used by nothing, is the cotangent, or zeros': atPoints(
        ({ w }) => {
          const { gradients } = t.vjp((x: readonly t.Tensor[]) => [x[0]!, x[0]!], [w, w], [w, t.mul(w, -2)])
          expect(numbers(gradients)).toEqual(numbers([t.neg(w), t.zerosLike(w)]))
        },
      ),
      "inside another, hands through what is that one's, with its gradient": atPoints(({ w }) => {
        // d/dx sum(x (3 y² at y = x) + x) = 9 x² + 1
        const outer = (x: t.Tensor): t.Tensor => {
          const inner = (y: t.Tensor): { value: t.Tensor; aux: t.Tensor } => ({
            value: t.sum(t.mul(t.square(y), y)),
            aux: x,
          })
          const { gradients, aux } = t.valueAndGrad(inner)(x)
          return t.sum(t.add(t.mul(aux, gradients), aux))
        }
        const [ours, theirs] = [t.grad(outer)(w), t.add(t.mul(t.square(w), 9), 1)].map((x) => numbers(x)[0]!)
        for (const [i, value] of ours!.entries()) expect(Math.abs(value - theirs![i]!)).toBeLessThan(1e-4)
      }),
      'leaves nothing': atPoints((inputs) => assertLeavesNoTrace((x: Inputs) => t.grad(total)(x), inputs)),
    },
  },
  {
    name: 'checkpoint',
    laws: {
      'has the same value and gradients, to second order': atPoints((inputs) => {
        const [ours, theirs] = [checkpointed, total].map((f) => t.valueAndGrad(f)(inputs))
        expect(numbers([ours!.value, ours!.gradients])).toEqual(numbers([theirs!.value, theirs!.gradients]))

        assertSecondOrderIsCorrect(checkpointed, inputs)
      }),
      'has the same bits compiled, and leaves nothing': atPoints((inputs) => {
        assertCompiledEqualsEager((x: Inputs) => Object.values(t.valueAndGrad(checkpointed)(x)), inputs)
        assertLeavesNoTrace((x: Inputs) => t.grad(checkpointed)(x), inputs)
      }),
    },
  },
  {
    name: 'fold',
    laws: {
      'is the loop, and holds one carry at a time': atPoints(({ w }) => {
        const before = t.memory()
        let most = 0
        const last = t.fold({ a: w, first: w }, [1, 2, 3, 4], ({ a, first }, item, index) => {
          const next = t.add(t.mul(a, 0.5), item + index)
          most = Math.max(most, t.memory().tensors - before.tensors)
          return { a: next, first }
        })
        const expected = [1, 3, 5, 7].reduce(
          (a, item) => a.map((value) => Math.fround(Math.fround(value * 0.5) + item)),
          Array.from(w.toFloat32Array()),
        )
        expect(Array.from(last.a.toFloat32Array())).toEqual(expected)
        expect(last.first).toBe(w)
        // The carry, the product and the sum.
        expect(most).toBe(3)
        expect(t.memory().tensors - before.tensors).toBe(1)
        last.a.dispose()
        expect(() => t.fold(w, [1, 2], (a, item) => (item === 2 ? raise() : t.neg(a)))).toThrow('raised')
        expect(t.memory().tensors).toBe(before.tensors)
        expect(w.toFloat32Array().length).toBe(15)
      }),
    },
  },
  {
    name: 'scope',
    laws: {
      'frees what is not kept or returned': atPoints(({ w }) => {
        const before = t.memory()
        const kept = t.scope(() => {
          t.neg(w)
          return { y: t.square(w), w }
        })
        expect(t.memory().tensors).toBe(before.tensors + 1)
        kept.y.dispose()
        const opened = t.scope()
        const [y] = opened.keep([t.square(w)])
        t.neg(w)
        opened[Symbol.dispose]()
        opened[Symbol.dispose]()
        expect(t.memory().tensors).toBe(before.tensors + 1)
        y!.dispose()
        expect(t.memory().bytes).toBe(before.bytes)
      }),
      'transforms refuse what is no function, and what is asynchronous': () => {
        const notFunctions = [
          () => t.grad(1 as never),
          () => t.checkpoint(1 as never),
          () => t.scope(1 as never),
        ]
        for (const call of notFunctions) expect(call).toThrow('a function is needed, got a number')
        expect(() => t.scope(() => Promise.resolve())).toThrow('the function is asynchronous')
        expect(() => t.scope(function* () {})).toThrow('the function is a generator')
        expect(t.scope(() => null)).toBe(null)
        // A tree may well have a value of that name.
        expect(t.scope(() => ({ next: null }))).toEqual({ next: null })
      },
    },
  },
  {
    name: 'evalShape',
    laws: {
      'takes a tree of shapes': () => {
        const shapes = { w: [3, 5], rest: [[5], [2]], none: null } as const
        const given: unknown = t.evalShape(
          (x: Inputs & { none: null }) => [layer(x), x.rest[1]],
          shapes as never,
        )
        expect(given).toEqual([[3, 5], [2]])
      },
    },
  },
]

function raise(): never {
  throw new Error('raised')
}
