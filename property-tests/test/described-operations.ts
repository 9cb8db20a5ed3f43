import * as t from '@tapeflow/autodiff'
import type { Draw } from '@tapeflow/autodiff/testing'
import { type Described, indexAt, inOrder, permuted, product, type Read, sumOf } from './described.ts'

const isAxis = (axes: readonly number[]) => (_: unknown, axis: number) => axes.includes(axis)

/** The places of one axis, each from another: what flip, roll and slice are. */
function alongAxis(
  shape: t.Shape,
  axis: number,
  size: number,
  from: (i: number) => number | null,
  call: (x: t.Tensor) => t.Tensor,
): Described {
  const result = shape.map((own, k) => (k === axis ? size : own))
  const at = (read: Read, index: readonly number[]): number => {
    const source = from(index[axis]!)
    return source === null ? 0 : read(0, ...index.map((i, k) => (k === axis ? source : i)))
  }
  return { shapes: [shape], call: (x) => [call(x!)], expected: [{ shape: result, at }] }
}

/** Some axes, and how the rest is indexed: what reductions are, from the elements that come together. */
function reduction(
  draw: Draw,
  call: (x: t.Tensor, options: { axis: number[]; keepDims: boolean }) => t.Tensor,
  together: (values: readonly number[]) => number,
  least = 1,
): Described {
  const shape = draw.shape(1, 4).map((size) => Math.max(least, size))
  const some = shape.map((_, i) => i).filter(() => draw.integer(0, 1) === 1)
  // Of one element there is no spread.
  const axis = least > 1 && some.length === 0 ? [0] : some
  const keepDims = draw.integer(0, 1) === 1
  const gone = shape.filter(isAxis(axis))
  const result = shape.flatMap((size, k) => (axis.includes(k) ? (keepDims ? [1] : []) : [size]))
  const at = (read: Read, index: readonly number[]): number => {
    const rest = keepDims ? index.filter((_, k) => !axis.includes(k)) : index.slice()
    const values = Array.from({ length: product(gone) }, (_, place) => {
      const [inner, outer] = [indexAt(gone, place), rest.slice()]
      return read(0, ...shape.map((_, k) => (axis.includes(k) ? inner.shift()! : outer.shift()!)))
    })
    return together(values)
  }
  return { shapes: [shape], call: (x) => [call(x!, { axis, keepDims })], expected: [{ shape: result, at }] }
}

/** The mean of squared distances from the mean, of which there are fewer by the correction. */
function spread(draw: Draw, call: typeof t.variance, outcome: (variance: number) => number): Described {
  const correction = draw.pick([0, 0.5, 0.25])
  const together = (values: readonly number[]): number => {
    const mean = added(values) / values.length
    return outcome(added(values.map((value) => (value - mean) ** 2)) / (values.length - correction))
  }
  return reduction(draw, (x, options) => call(x, { ...options, correction }), together, 2)
}

const added = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0)

/** Operations whose kernel and reference find their elements by the same arithmetic, and would go wrong together. */
export const moving: Readonly<Record<string, (draw: Draw) => Described>> = {
  'diag, described': (draw) => {
    const [before, matrix] = [draw.shape(0, 1), [draw.integer(1, 5), draw.integer(1, 5)] as const]
    const offset = draw.integer(1 - matrix[0], matrix[1] - 1)
    const [down, right] = [Math.max(0, -offset), Math.max(0, offset)]
    const length = Math.min(matrix[0] - down, matrix[1] - right)
    const at = (read: Read, index: readonly number[]): number => {
      const i = index[before.length]!
      return read(0, ...index.slice(0, before.length), i + down, i + right)
    }
    const expected = [{ shape: [...before, length], at }]
    return { shapes: [[...before, ...matrix]], call: (x) => [t.diag(x!, { offset })], expected }
  },
  'diagEmbed, described': (draw) => {
    const [before, n] = [draw.shape(0, 1), draw.integer(0, 4)]
    const offset = draw.integer(-3, 3)
    const size = n + Math.abs(offset)
    const at = (read: Read, index: readonly number[]): number => {
      const [i, j] = index.slice(before.length) as [number, number]
      return j - i === offset ? read(0, ...index.slice(0, before.length), Math.min(i, j)) : 0
    }
    const expected = [{ shape: [...before, size, size], at }]
    return { shapes: [[...before, n]], call: (x) => [t.diagEmbed(x!, { offset })], expected }
  },
  'triu and tril, described': (draw) => {
    const shape = [...draw.shape(0, 1), draw.integer(0, 5), draw.integer(0, 5)]
    const offset = draw.integer(-3, 3)
    const keeps = (isKept: (above: number) => boolean): Described['expected'][number] => ({
      shape,
      at: (read, index) =>
        isKept(index[shape.length - 1]! - index[shape.length - 2]!) ? read(0, ...index) : 0,
    })
    const expected = [keeps((above) => above >= offset), keeps((above) => above <= offset)]
    return { shapes: [shape], call: (x) => [t.triu(x!, { offset }), t.tril(x!, { offset })], expected }
  },
  'trace, described': (draw) => {
    const batch = draw.shape(0, 2)
    const [rows, columns] = [draw.integer(1, 5), draw.integer(1, 5)]
    const offset = draw.integer(-2, 2)
    const at = (read: Read, index: readonly number[]): number =>
      sumOf(rows, (i) => (i + offset >= 0 && i + offset < columns ? read(0, ...index, i, i + offset) : 0))
    const shapes = [[...batch, rows, columns]]
    return { shapes, call: (x) => [t.trace(x!, { offset })], expected: [{ shape: batch, at }] }
  },
  'transpose, described': (draw) => {
    const shape = draw.shape(1, 4)
    const left = shape.map((_, axis) => axis)
    const order = shape.map(() => left.splice(draw.integer(0, left.length - 1), 1)[0]!)
    // An axis is counted from the end where it is negative.
    const named = order.map((axis) => axis - draw.integer(0, 1) * shape.length)
    return permuted(shape, order, (x) => t.transpose(x, named))
  },
  'transpose, its axes in reverse, described': (draw) => {
    const shape = draw.shape(0, 4)
    return permuted(shape, shape.map((_, axis) => axis).reverse(), (x) => t.transpose(x))
  },
  'reshape, described': (draw) => {
    const shape = draw.shape(1, 3)
    const result = [...shape].reverse()
    return { shapes: [shape], call: (x) => [t.reshape(x!, result)], expected: [inOrder(shape, result)] }
  },
  'broadcastTo, described': (draw) => {
    const result = draw.shape(0, 4)
    const shape = result
      .slice(draw.integer(0, result.length))
      .map((size) => (draw.integer(0, 1) === 0 ? 1 : size))
    const at = (read: Read, index: readonly number[]): number =>
      read(0, ...index.slice(result.length - shape.length).map((i, k) => (shape[k] === 1 ? 0 : i)))
    return { shapes: [shape], call: (x) => [t.broadcastTo(x!, result)], expected: [{ shape: result, at }] }
  },
  'slice, described': (draw) => {
    const shape = draw.shape(1, 4)
    const begin = shape.map((size) => draw.integer(0, size))
    const end = shape.map((size, axis) => draw.integer(begin[axis]!, size))
    const at = (read: Read, index: readonly number[]): number =>
      read(0, ...index.map((i, k) => i + begin[k]!))
    const expected = [{ shape: end.map((to, k) => to - begin[k]!), at }]
    return { shapes: [shape], call: (x) => [t.slice(x!, begin, end)], expected }
  },
  'pad, described': (draw) => {
    const [size, before, after] = [draw.integer(3, 5), draw.integer(0, 2), draw.integer(0, 2)]
    const shape = [...draw.shape(0, 1), size, ...draw.shape(0, 1)]
    const axis = draw.integer(0, shape.length - 1)
    const own = shape[axis]!
    const widths = shape.map((_, k) => (k === axis ? [before, after] : [0, 0]))
    const mode = own < 3 ? 'constant' : draw.pick(['constant', 'edge', 'reflect'] as const)
    const from = (place: number): number | null => {
      const i = place - before
      if (i >= 0 && i < own) return i
      if (mode === 'constant') return null
      return mode === 'edge' ? (i < 0 ? 0 : own - 1) : i < 0 ? -i : 2 * (own - 1) - i
    }
    return alongAxis(shape, axis, own + before + after, from, (x) => t.pad(x, widths, { mode }))
  },
  'concat, described': (draw) => {
    const shape = draw.shape(1, 3)
    const axis = draw.integer(0, shape.length - 1)
    const sizes = Array.from({ length: draw.integer(1, 4) }, () => draw.integer(0, 5))
    const owners = sizes.flatMap((size, i) => Array.from({ length: size }, (_, place) => [i, place] as const))
    const at = (read: Read, index: readonly number[]): number => {
      const [input, place] = owners[index[axis]!]!
      return read(input, ...index.map((i, k) => (k === axis ? place : i)))
    }
    const withSize = (size: number): t.Shape => shape.map((own, k) => (k === axis ? size : own))
    const expected = [{ shape: withSize(owners.length), at }]
    return { shapes: sizes.map(withSize), call: (...x) => [t.concat(x, { axis })], expected }
  },
  'flip, described': (draw) => {
    const shape = draw.shape(1, 4)
    const axis = draw.integer(0, shape.length - 1)
    return alongAxis(
      shape,
      axis,
      shape[axis]!,
      (i) => shape[axis]! - 1 - i,
      (x) => t.flip(x, { axis }),
    )
  },
  'roll, described': (draw) => {
    const shape = draw.shape(1, 4)
    const axis = draw.integer(0, shape.length - 1)
    const [size, shift] = [shape[axis]!, draw.integer(-4, 9)]
    const from = (i: number): number => (((i - shift) % size) + size) % size
    return alongAxis(shape, axis, size, from, (x) => t.roll(x, shift, { axis }))
  },
  'gather, described': (draw) => {
    const shape = draw.shape(1, 3).map((size) => Math.max(1, size))
    const axis = draw.integer(0, shape.length - 1)
    const chosen = Array.from({ length: draw.integer(0, 6) }, () => draw.integer(0, shape[axis]! - 1))
    const call = (x: t.Tensor): t.Tensor => t.gather(x, t.tensor(chosen, [chosen.length]), { axis })
    return alongAxis(shape, axis, chosen.length, (i) => chosen[i]!, call)
  },
  'takeAlongAxis, described': (draw) => {
    const shape = draw.shape(1, 3).map((size) => Math.max(1, size))
    const axis = draw.integer(0, shape.length - 1)
    const result = shape.map((size, k) => (k === axis ? draw.integer(1, 4) : size))
    const places = Array.from({ length: product(result) }, (_, i) => (i * 7 + (i >> 2)) % shape[axis]!)
    const place = (index: readonly number[]): number =>
      places[result.reduce((p, size, k) => p * size + index[k]!, 0)]!
    const at = (read: Read, index: readonly number[]): number =>
      read(0, ...index.map((i, k) => (k === axis ? place(index) : i)))
    const call = (x: t.Tensor | undefined): t.Tensor[] => [
      t.takeAlongAxis(x!, t.tensor(places, result), { axis }),
    ]
    return { shapes: [shape], call, expected: [{ shape: result, at }] }
  },
  'sort and topK, described': (draw) => {
    const shape = draw.shape(1, 3)
    const axis = draw.integer(0, shape.length - 1)
    const descending = draw.integer(0, 1) === 1
    const k = draw.integer(0, shape[axis]!)
    const sorted = (read: Read, index: readonly number[], isDown: boolean): number => {
      const line = Array.from({ length: shape[axis]! }, (_, i) =>
        read(0, ...index.map((own, d) => (d === axis ? i : own))),
      )
      return line.sort((a, b) => (isDown ? b - a : a - b))[index[axis]!]!
    }
    const top = shape.map((size, d) => (d === axis ? k : size))
    return {
      shapes: [shape],
      call: (x) => [t.sort(x!, { axis, descending }), t.topK(x!, k, { axis }).values],
      expected: [
        { shape, at: (read, index) => sorted(read, index, descending) },
        { shape: top, at: (read, index) => sorted(read, index, true) },
      ],
    }
  },
  'cumSum, described': (draw) => {
    const shape = draw.shape(1, 3)
    const axis = draw.integer(0, shape.length - 1)
    const [exclusive, reverse] = [draw.integer(0, 1) === 1, draw.integer(0, 1) === 1]
    const at = (read: Read, index: readonly number[]): number =>
      sumOf(shape[axis]!, (i) => {
        const distance = reverse ? i - index[axis]! : index[axis]! - i
        return distance > 0 || (distance === 0 && !exclusive)
          ? read(0, ...index.map((own, k) => (k === axis ? i : own)))
          : 0
      })
    return {
      shapes: [shape],
      call: (x) => [t.cumSum(x!, { axis, exclusive, reverse })],
      expected: [{ shape, at }],
    }
  },
  'sum, described': (draw) => reduction(draw, t.sum, added),
  'mean, described': (draw) => reduction(draw, t.mean, (values) => added(values) / values.length),
  'max, described': (draw) => reduction(draw, t.max, (values) => Math.max(...values)),
  'min, described': (draw) => reduction(draw, t.min, (values) => Math.min(...values)),
  'prod, described': (draw) =>
    reduction(draw, t.prod, (values) => values.reduce((all, value) => all * value, 1)),
  'variance, described': (draw) => spread(draw, t.variance, (variance) => variance),
  'std, described': (draw) => spread(draw, t.std, Math.sqrt),
  'matmul, described': (draw) => {
    const [m, n, k, batch] = [draw.integer(1, 6), draw.integer(1, 9), draw.integer(0, 5), draw.integer(1, 3)]
    const [transposeA, transposeB] = [draw.integer(0, 1) === 1, draw.integer(0, 1) === 1]
    const isShared = draw.integer(0, 1) === 1
    const b = transposeB ? [n, k] : [k, n]
    const at = (read: Read, [i, row, column]: readonly number[]): number =>
      sumOf(k, (p) => {
        const own = transposeB ? [column!, p] : [p, column!]
        return (
          read(0, i!, ...(transposeA ? [p, row!] : [row!, p])) * read(1, ...(isShared ? own : [i!, ...own]))
        )
      })
    return {
      shapes: [[batch, ...(transposeA ? [k, m] : [m, k])], isShared ? b : [batch, ...b]],
      call: (x, y) => [t.matmul(x!, y!, { transposeA, transposeB })],
      expected: [{ shape: [batch, m, n], at }],
    }
  },
}
