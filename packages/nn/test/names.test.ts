import * as t from '@tapeflow/autodiff'
import { describe, expect, test } from 'vitest'
import { activation, type Context, dropout, linear, relu, sequential } from '../src/index.ts'

const ctx: Context = { training: true, path: '' }

describe('layers', () => {
  const model = sequential(linear(2, 4), relu(), sequential(linear(4, 4), relu()), linear(4, 1))
  const { params, state } = model.init(t.key(1), [2])
  const x = t.tensor([[1, 2]])
  const loss = (p: typeof params, rows: t.Tensor): t.Tensor => t.mean(model.apply(p, state, rows, ctx).y)
  const places = ['layers.0', 'layers.1', 'layers.2.layers.0', 'layers.2.layers.1', 'layers.3']

  test('go by their places in a graph, chains in chains too', () => {
    const g = t.graph(t.valueAndGrad(loss), params, x)
    expect(g.layers).toEqual(places)
    expect(g.groupBy('layer').forward.depth).toBe(places.length)
    expect(g.groupBy('layer').backward.depth).toBe(places.length)
    const named = g.nodes.filter(({ kind, pass }) => kind === 'operation' && pass === 'forward')
    expect(named.map(({ operation, path }) => [operation, path])).toEqual([
      ['linear', 'layers.0'],
      ['relu', 'layers.1'],
      ['linear', 'layers.2.layers.0'],
      ['relu', 'layers.2.layers.1'],
      ['linear', 'layers.3'],
      ['mean', ''],
    ])
  })

  test('go by the paths that they are told in their context', () => {
    const told: string[] = []
    const tapped = (rows: t.Tensor): t.Tensor =>
      model.apply(params, state, rows, { ...ctx, tap: (path) => told.push(path) }).y
    const { layers } = t.graph(tapped, x)
    expect(layers).toEqual(told.filter((path) => path !== 'layers.2'))
  })

  test('are named where something is wrong, forward and backward, compiled too', () => {
    const bad = sequential(linear(1, 1), sequential(dropout(0.5), activation('log', t.log)))
    const made = bad.init(t.key(1), [1])
    const f = (p: typeof made.params, rows: t.Tensor, key: t.Key): t.Tensor =>
      t.sum(bad.apply(p, made.state, rows, { ...ctx, key }).y)
    for (const g of [f, t.grad(f), t.compile(t.grad(f))] as readonly (typeof f)[]) {
      expect(() => t.debug(g)(made.params, t.tensor([[0]]), t.key(1))).toThrow(
        'log: gives -Infinity at [0,0] for finite inputs in layers.1.layers.1;',
      )
    }
    const steep = sequential(linear(1, 1), activation('sqrt', t.sqrt))
    const start = steep.init(t.key(1), [1])
    const slope = t.grad((p: typeof start.params) =>
      t.sum(steep.apply(p, start.state, t.tensor([[0]]), ctx).y),
    )
    expect(() => t.debug(slope)(start.params)).toThrow(
      'div: gives Infinity at [0,0] for finite inputs in layers.1, on the way back through sqrt;',
    )
  })

  test('hand out what is tapped in a chain within a chain', () => {
    const tapped: t.Tensor[] = []
    t.scope(() => {
      model.apply(params, state, x, { ...ctx, tap: (_, y) => tapped.push(t.reshape(y, y.shape)) })
      expect(tapped.map((y) => y.toArray())).toHaveLength(6)
      return null
    })
  })
})
