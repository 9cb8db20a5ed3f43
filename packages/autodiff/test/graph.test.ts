import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'

/** Layers of a network: each multiplies by as many weights as one likes, and adds up. */
interface Layer {
  readonly weights: readonly t.Tensor[]
}

const network = (layers: number, weights: number): Layer[] =>
  Array.from({ length: layers }, () => ({ weights: Array.from({ length: weights }, () => t.ones([3, 3])) }))

const loss = (layers: readonly Layer[], x: t.Tensor): t.Tensor => {
  let h = x
  for (const [i, { weights }] of layers.entries()) {
    h = t.namedScope(`layers.${i}`, () => {
      const products = weights.map((w) => t.matmul(h, w))
      return t.tanh(products.reduce((sum, product) => t.add(sum, product)))
    })
  }
  return t.sum(h)
}

const x = (): t.Tensor => t.ones([8, 3])

/** The longest chain that ends with a node, in nodes that count, by trying all of them. */
const longest = (g: t.ComputationGraph, id: number, counts: (node: t.GraphNode) => boolean): number => {
  const before = g.edges.filter(({ to }) => to === id).map(({ from }) => longest(g, from, counts))
  return Math.max(0, ...before) + (counts(g.nodes[id]!) ? 1 : 0)
}

describe('depth and width', () => {
  it('of logistic regression are 3 and 1, and 2 with its product and sum as one operation', () => {
    const inputs = [x(), t.ones([3, 1]), t.ones([1])] as const
    const apart = t.graph((x, w, b) => t.sigmoid(t.add(t.matmul(x, w), b)), ...inputs)
    expect([apart.depth, apart.width]).toEqual([3, 1])
    expect(operations(apart)).toEqual(['matmul', 'add', 'sigmoid'])
    const fused = t.graph((x, w, b) => t.sigmoid(t.linear(x, w, b)), ...inputs)
    expect([fused.depth, fused.width]).toEqual([2, 1])
    expect(operations(fused)).toEqual(['linear', 'sigmoid'])
  })

  it('of a unit in scalars: both products at the same time', () => {
    const scalars = [1, 2, 3, 4, 5].map((value) => t.tensor(value)) as [
      t.Tensor,
      t.Tensor,
      t.Tensor,
      t.Tensor,
      t.Tensor,
    ]
    const unit = (w1: t.Tensor, x1: t.Tensor, w2: t.Tensor, x2: t.Tensor, b: t.Tensor): t.Tensor =>
      t.sigmoid(t.add(t.add(t.mul(w1, x1), t.mul(w2, x2)), b))
    const g = t.graph(unit, ...scalars)
    expect([g.depth, g.width]).toEqual([4, 2])
  })

  it('of a backward pass: depth grows with the layers, width with the parameters per layer', () => {
    const size = (layers: number, weights: number): { depth: number; width: number } =>
      t.graph(t.grad(loss), network(layers, weights), x()).backward
    const depths = [1, 2, 3, 4, 5].map((layers) => size(layers, 2).depth)
    for (const [i, depth] of depths.slice(1).entries()) expect(depth).toBeGreaterThan(depths[i]!)
    // Each layer adds the same.
    const steps = depths.slice(1).map((depth, i) => depth - depths[i]!)
    expect(new Set(steps.slice(1)).size).toBe(1)
    const widths = [1, 2, 3, 4, 5].map((weights) => size(3, weights).width)
    for (const [i, width] of widths.slice(1).entries()) expect(width).toBeGreaterThan(widths[i]!)
    // Two products for each weight: its gradient, and what goes on to the layer below.
    for (const [i, width] of widths.entries()) expect(width).toBeGreaterThanOrEqual(2 * (i + 1))
  })

  it('do not count views, inputs and constants', () => {
    const f = (x: t.Tensor): t.Tensor => t.exp(t.slice(t.reshape(t.mul(x, 2), [3, 8]), 0, 2))
    const g = t.graph(f, x())
    expect([g.depth, g.width]).toEqual([2, 1])
    expect(g.nodes.map(({ kind, name, level }) => `${kind} ${name} ${level}`)).toEqual([
      'input argument 0 0',
      'constant 2 0',
      'operation mul 1',
      'view reshape 1',
      'view slice 1',
      'operation exp 2',
    ])
  })

  it('are those of the longest of all chains, and of its levels, whatever the program', () => {
    const program = fc.array(fc.tuple(fc.nat(), fc.nat(), fc.constantFrom('add', 'exp', 'view')), {
      maxLength: 9,
    })
    fc.assert(
      fc.property(program, (lines) => {
        const f = (x: t.Tensor): t.Tensor[] => {
          const values = [x]
          for (const [a, b, kind] of lines) {
            const [left, right] = [values[a % values.length]!, values[b % values.length]!]
            if (kind === 'add') values.push(t.add(left, right))
            else if (kind === 'exp') values.push(t.exp(left))
            else values.push(t.reshape(t.reshape(left, [2, 1]), [2]))
          }
          return values
        }
        const g = t.graph(f, t.tensor([1, 2]))
        const counts = ({ kind }: t.GraphNode): boolean => kind === 'operation'
        const levels = g.nodes.map(({ id }) => longest(g, id, counts))
        expect(g.nodes.map(({ level }) => level)).toEqual(levels)
        expect(g.depth).toBe(Math.max(...levels))
        const counted = g.nodes.filter(counts).map(({ level }) => level)
        const widths = counted.map((level) => counted.filter((other) => other === level).length)
        expect(g.width).toBe(Math.max(0, ...widths))
        expect(counted).toHaveLength(lines.filter(([, , kind]) => kind !== 'view').length)
      }),
      { numRuns: 60 },
    )
  })
})

describe('layers', () => {
  it('are counted where operations are grouped by them', () => {
    for (const layers of [1, 2, 4]) {
      const g = t.graph(t.valueAndGrad(loss), network(layers, 2), x())
      expect(g.layers).toEqual(Array.from({ length: layers }, (_, i) => `layers.${i}`))
      const grouped = g.groupBy('layer')
      expect([grouped.forward, grouped.backward].map(({ depth, width }) => [depth, width])).toEqual([
        [layers, 1],
        [layers, 1],
      ])
      expect(grouped.depth).toBe(2 * layers)
      expect(grouped.nodes.filter(({ kind }) => kind === 'layer')).toHaveLength(2 * layers)
    }
    const unit = (x: t.Tensor, w: t.Tensor, b: t.Tensor): t.Tensor =>
      t.namedScope('unit', () => t.sigmoid(t.add(t.matmul(x, w), b)))
    expect(t.graph(unit, x(), t.ones([3, 1]), t.ones([1])).groupBy('layer').depth).toBe(1)
  })

  it('that stand side by side are wide', () => {
    const f = (x: t.Tensor): t.Tensor => {
      const [a, b, c] = ['a', 'b', 'c'].map((name) => t.namedScope(name, () => t.exp(t.neg(x))))
      return t.namedScope('sum', () => t.add(t.add(a!, b!), c!))
    }
    const grouped = t.graph(f, x()).groupBy('layer')
    expect([grouped.depth, grouped.width]).toEqual([2, 3])
    expect(grouped.edges).toHaveLength(6)
  })

  it('are told from all else', () => {
    expect(() => t.graph(t.exp, x()).groupBy('row' as 'layer')).toThrow(
      "graph: cannot group by 'row'; use 'layer'",
    )
  })
})

describe('a graph', () => {
  it('has what the result depends on, and checks', () => {
    const f = (x: t.Tensor, labels: t.Tensor): t.Tensor => {
      t.exp(x)
      t.checkIndices('mine', labels, 3, { index: 'label', place: 'row' })
      return t.neg(x)
    }
    const g = t.graph(f, x(), t.zeros([4]))
    expect(operations(g)).toEqual(['checkIndices', 'neg'])
    const unused = (x: t.Tensor, _unused: t.Tensor): t.Tensor => t.neg(x)
    expect(t.graph(unused, x(), x()).nodes).toHaveLength(2)
  })

  it('computes nothing, and keeps nothing', () => {
    const before = t.memory()
    const wide = t.tensor(new Float32Array(100_000), [100_000, 1])
    // 40 GB, if it were computed.
    const g = t.graph((x: t.Tensor) => t.sum(t.matmul(x, t.transpose(x))), wide)
    expect(g.nodes.map(({ shape }) => t.showShape(shape))).toContain('[100000,100000]')
    wide.dispose()
    const after = t.memory()
    expect([after.tensors, after.bytes]).toEqual([before.tensors, before.bytes])
  })

  it('of a compiled function is that of the function', () => {
    const step = t.grad(loss)
    const [layers, rows] = [network(2, 1), x()]
    expect(t.graph(t.compile(step), layers, rows).toDot()).toBe(t.graph(step, layers, rows).toDot())
  })

  it('takes trees, keys, numbers and texts, and names what it reads by its place', () => {
    const f = (p: { w: t.Tensor }, rate: number, key: t.Key, kind: string): unknown => ({
      deep: [t.mul(t.add(p.w, t.uniform(key, [2])), rate)],
      kind,
    })
    const g = t.graph(f, { w: t.tensor([1, 2]) }, 0.5, t.key(1), 'text')
    expect(g.nodes.map(({ name }) => name)).toEqual(['0.w', 'argument 1', 'uniform', 'add', 'mul'])
    expect(g.nodes.map(({ isResult }) => isResult)).toEqual([false, false, false, false, true])
  })

  it('has an edge for each operand, and constants by value', () => {
    const g = t.graph((x: t.Tensor) => t.mul(t.mul(x, x), 0.1), x())
    expect(g.edges).toEqual([
      { from: 0, to: 1 },
      { from: 0, to: 1 },
      { from: 1, to: 3 },
      { from: 2, to: 3 },
    ])
    expect(g.nodes[2]).toMatchObject({ kind: 'constant', name: '0.1' })
  })

  it('refuses what is no function or tree, and values that are read', () => {
    expect(() => t.graph(3 as unknown as () => t.Tensor)).toThrow(
      'graph: a function is needed, got a number; pass x => … instead of its result',
    )
    expect(() => t.graph((given: unknown) => given, new Map())).toThrow('graph: argument 0 must be a tensor')
    expect(() => t.graph((x: t.Tensor) => x.toArray(), x())).toThrow(t.RecordingError)
    expect(() => t.graph(async () => 1)).toThrow('graph: the function is asynchronous')
  })
})

const nested = (x: t.Tensor): t.Tensor =>
  t.namedScope('outer', () => {
    const inner = t.namedScope('in "quotes" \\ <b> #1', () => t.exp(x))
    return t.sum(t.tanh(inner))
  })

describe('a drawing', () => {
  it('in DOT has every node once, in the frame of its layer, and frames within frames', () => {
    const g = t.graph(t.valueAndGrad(nested), x())
    const stack: string[] = []
    const frames = new Map<string, string>()
    const edges: string[] = []
    for (const line of g.toDot().split('\n')) {
      const text = line.trim()
      expect(text).toMatch(
        /^(?:digraph \{|subgraph cluster\d+ \{|\}|label="(?:[^"\\]|\\.)*"|(?:node \[)?fontname="[^"]*"\]?|n\d+ \[label="(?:[^"\\]|\\.)*"(?:, \w+=\w+)*\]|n\d+ -> n\d+)$/,
      )
      if (text.endsWith('{')) stack.push('')
      else if (text === '}') stack.pop()
      else if (text.startsWith('label=')) stack[stack.length - 1] = JSON.parse(text.slice(6)) as string
      const node = /^(n\d+) \[/.exec(text)?.[1]
      if (node !== undefined) {
        expect(frames.has(node)).toBe(false)
        frames.set(node, stack.slice(1).join(' > '))
      }
      if (text.includes('->')) edges.push(text)
    }
    expect(stack).toEqual([])
    expect(edges).toEqual(g.edges.map(({ from, to }) => `n${from} -> n${to}`))
    expect([...frames.keys()].sort()).toEqual(g.nodes.map(({ id }) => `n${id}`).sort())
    for (const { id, kind, path, pass } of g.nodes) {
      const layers = path.startsWith('outer.') ? ['outer', path] : [path]
      const titles = layers.map((layer) => (pass === 'forward' ? layer : `${layer}, backward`))
      expect(frames.get(`n${id}`)).toBe(kind === 'input' || path === '' ? '' : titles.join(' > '))
    }
  })

  it('in Mermaid has frames, and no character that ends a text', () => {
    const text = t.graph(nested, t.tensor([1, 2])).toMermaid()
    expect(text).toBe(`flowchart TD
  n0(["argument 0 [2]"])
  subgraph layer0["outer"]
    n2["tanh [2]"]
    n3["sum []"]
    subgraph layer1["outer.in #34;quotes#34; #92; #60;b#62; #35;1"]
      n1["exp [2]"]
    end
  end
  n0 --> n1
  n1 --> n2
  n2 --> n3
  classDef result stroke-width: 3px
  class n3 result`)
  })

  it('marks what belongs to the backward pass', () => {
    const text = t
      .graph(
        t.grad((x: t.Tensor) => t.sum(t.exp(x))),
        t.tensor([1, 2]),
      )
      .toMermaid()
    expect(text).toContain('classDef backward stroke-dasharray: 4\n  class n3 backward')
  })

  it('of layers has one node for each', () => {
    const dot = t.graph(loss, network(2, 2), x()).groupBy('layer').toDot()
    expect(dot).not.toContain('subgraph')
    expect(dot.match(/layers\.\d \[8,3\]/g)).toEqual(['layers.0 [8,3]', 'layers.1 [8,3]'])
  })
})

function operations(g: t.ComputationGraph): string[] {
  return g.nodes.filter(({ kind }) => kind === 'operation').map(({ operation }) => operation)
}
