import * as t from '@tapeflow/autodiff'
import { expect } from 'vitest'
import type { Row } from './matrix.ts'

const inScope = (check: () => void) => (): void => {
  t.scope(check)
}

const twoLayers = (x: t.Tensor): t.Tensor =>
  t.namedScope('outer', () => {
    const h = t.namedScope('a', () => t.log(x))
    return t.namedScope('b', () => t.sum(t.square(h)))
  })

/** Laws of what looks at a computation: names, graphs, and where a NaN began. */
export const lookingLaws: readonly Row[] = [
  {
    name: 'namedScope',
    laws: {
      'joins names, and takes them back': inScope(() => {
        const { nodes } = t.graph((x: t.Tensor) => t.neg(twoLayers(x)), t.ones([2]))
        const paths = nodes.filter(({ kind }) => kind === 'operation').map(({ name, path }) => [name, path])
        expect(paths).toEqual([
          ['log', 'outer.a'],
          ['square', 'outer.b'],
          ['sum', 'outer.b'],
          ['neg', ''],
        ])
      }),
    },
  },
  {
    name: 'graph',
    laws: {
      'counts the longest chain, and the most side by side': inScope(() => {
        const wide = (x: t.Tensor): t.Tensor => t.add(t.mul(t.exp(x), t.sin(x)), t.neg(x))
        const { depth, width, edges } = t.graph(wide, t.ones([2]))
        expect([depth, width, edges.length]).toEqual([3, 3, 7])
        const back = t.graph(t.grad(twoLayers), t.ones([2]))
        expect(back.layers).toEqual(['outer.a', 'outer.b'])
        expect(back.backward.operations).toBeGreaterThan(0)
      }),
      'of layers has a node for each, and by another word none': inScope(() => {
        const whole = t.graph(twoLayers, t.ones([2]))
        expect(whole.groupBy('layer').depth).toBe(2)
        expect(() => whole.groupBy('name' as never)).toThrow("graph: cannot group by 'name'; use 'layer'")
        expect(whole.toMermaid()).toMatch(/outer\.a/)
        expect(whole.toDot()).toMatch(/outer\.b/)
      }),
    },
  },
  {
    name: 'debug',
    laws: {
      'gives what the function gives, and names what first makes NaN': inScope(() => {
        const x = t.tensor([1, 2])
        expect(t.debug(twoLayers)(x).item()).toBe(twoLayers(x).item())
        const words = (f: () => unknown): string => {
          try {
            f()
          } catch (error) {
            return (error as Error).message
          }
          return ''
        }
        expect(words(() => t.debug(twoLayers)(t.tensor([1, -2])))).toMatch(/^log: gives NaN at \[1\]/)
        expect(words(() => t.debug(t.compile(twoLayers))(t.tensor([1, -2])))).toMatch(
          /^log: gives NaN at \[1\]/,
        )
        expect(words(() => t.debug(twoLayers)(t.tensor([1, 0])))).toMatch(/^log: gives -Infinity at \[1\]/)
        expect(words(() => t.debug((at: t.Tensor) => t.log(at), { infinities: false })(t.tensor([0])))).toBe(
          '',
        )
      }),
      'refuses to be recorded': inScope(() => {
        expect(() => t.compile(t.debug(twoLayers))(t.ones([2]))).toThrow('the function is being recorded')
      }),
    },
  },
]
