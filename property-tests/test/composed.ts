import * as t from '@tapeflow/autodiff'
import type { Draw } from '@tapeflow/autodiff/testing'
import { type Described, indexAt, inOrder, permuted, product, type Read, sumOf } from './described.ts'

/** The functions of the package that have no record, only a composition of operations. */
export const composed: Readonly<Record<string, (draw: Draw) => Described>> = {
  expandDims: (draw) => {
    const shape = draw.shape(0, 3)
    const axis = draw.integer(0, shape.length)
    const result = [...shape.slice(0, axis), 1, ...shape.slice(axis)]
    return { shapes: [shape], call: (x) => [t.expandDims(x!, axis)], expected: [inOrder(shape, result)] }
  },
  squeeze: (draw) => {
    const shape = draw.shape(0, 4)
    const rest = shape.filter((size) => size !== 1)
    return { shapes: [shape], call: (x) => [t.squeeze(x!)], expected: [inOrder(shape, rest)] }
  },
  'squeeze of one axis': (draw) => {
    const [left, right] = [draw.shape(0, 2), draw.shape(0, 2)]
    const call = (x: t.Tensor | undefined): t.Tensor[] => [t.squeeze(x!, { axis: left.length })]
    const shape = [...left, 1, ...right]
    return { shapes: [shape], call, expected: [inOrder(shape, [...left, ...right])] }
  },
  flatten: (draw) => {
    const shape = draw.shape(1, 4)
    const from = draw.integer(0, shape.length - 1)
    const to = draw.integer(from, shape.length - 1)
    const result = [...shape.slice(0, from), product(shape.slice(from, to + 1)), ...shape.slice(to + 1)]
    return { shapes: [shape], call: (x) => [t.flatten(x!, { from, to })], expected: [inOrder(shape, result)] }
  },
  moveAxis: (draw) => {
    const shape = draw.shape(2, 4)
    const [from, to] = [draw.integer(0, shape.length - 1), draw.integer(0, shape.length - 1)]
    const order = shape.map((_, axis) => axis).filter((axis) => axis !== from)
    order.splice(to, 0, from)
    return permuted(shape, order, (x) => t.moveAxis(x, from, to))
  },
  swapAxes: (draw) => {
    const shape = draw.shape(2, 4)
    const [a, b] = [draw.integer(0, shape.length - 1), draw.integer(0, shape.length - 1)]
    const order = shape.map((_, axis) => (axis === a ? b : axis === b ? a : axis))
    return permuted(shape, order, (x) => t.swapAxes(x, a, b))
  },
  tile: (draw) => {
    const shape = draw.shape(0, 3)
    const counts = Array.from({ length: draw.integer(0, 4) }, () => draw.integer(0, 3))
    const rank = Math.max(shape.length, counts.length)
    const sizes = [...new Array<number>(rank - shape.length).fill(1), ...shape]
    const times = [...new Array<number>(rank - counts.length).fill(1), ...counts]
    const result = sizes.map((size, axis) => size * times[axis]!)
    const at = (read: Read, index: readonly number[]): number =>
      read(0, ...index.map((i, axis) => i % sizes[axis]!).slice(rank - shape.length))
    return { shapes: [shape], call: (x) => [t.tile(x!, counts)], expected: [{ shape: result, at }] }
  },
  repeat: (draw) => {
    const shape = draw.shape(1, 3)
    const axis = draw.integer(0, shape.length - 1)
    const size = shape[axis]!
    const counts = draw.integer(0, 1) === 0 ? draw.integer(0, 3) : shape.map(() => 0).concat([])
    const each = Array.from({ length: size }, () =>
      typeof counts === 'number' ? counts : draw.integer(0, 2),
    )
    const sources = each.flatMap((count, i) => new Array<number>(count).fill(i))
    const result = [...shape.slice(0, axis), sources.length, ...shape.slice(axis + 1)]
    const at = (read: Read, index: readonly number[]): number =>
      read(0, ...index.map((i, k) => (k === axis ? sources[i]! : i)))
    const given = typeof counts === 'number' ? counts : each
    return {
      shapes: [shape],
      call: (x) => [t.repeat(x!, given, { axis })],
      expected: [{ shape: result, at }],
    }
  },
  'repeat of all elements': (draw) => {
    const shape = draw.shape(0, 3)
    const count = draw.integer(0, 3)
    const size = product(shape)
    const at = (read: Read, [i]: readonly number[]): number =>
      read(0, ...indexAt(shape, Math.floor(i! / count)))
    return { shapes: [shape], call: (x) => [t.repeat(x!, count)], expected: [{ shape: [size * count], at }] }
  },
  split: (draw) => {
    const [before, after] = [draw.shape(0, 1), draw.shape(0, 2)]
    const even = draw.integer(0, 1) === 0
    const size = draw.integer(0, 3)
    const parts = Array.from({ length: draw.integer(1, 3) }, () => (even ? size : draw.integer(0, 3)))
    const axis = before.length
    const expected = parts.map((own, part) => ({
      shape: [...before, own, ...after],
      at: (read: Read, index: readonly number[]): number => {
        const start = sumOf(part, (k) => parts[k]!)
        return read(0, ...index.map((i, k) => (k === axis ? i + start : i)))
      },
    }))
    const shape = [...before, sumOf(parts.length, (k) => parts[k]!), ...after]
    const call = (x: t.Tensor | undefined): t.Tensor[] => t.split(x!, even ? parts.length : parts, { axis })
    return { shapes: [shape], call, expected }
  },
  stack: (draw) => {
    const shape = draw.shape(0, 3)
    const axis = draw.integer(0, shape.length)
    const count = draw.integer(1, 3)
    const at = (read: Read, index: readonly number[]): number =>
      read(index[axis]!, ...index.filter((_, k) => k !== axis))
    const expected = [{ shape: [...shape.slice(0, axis), count, ...shape.slice(axis)], at }]
    return { shapes: new Array<t.Shape>(count).fill(shape), call: (...x) => [t.stack(x, { axis })], expected }
  },
  meshgrid: (draw) => {
    const sizes = Array.from({ length: draw.integer(1, 3) }, () => draw.integer(0, 4))
    const indexing = draw.pick(['xy', 'ij'] as const)
    // In 'xy' the first coordinate runs along the columns, the second along the rows.
    const axes = sizes.map((_, i) => (indexing === 'xy' && sizes.length > 1 && i < 2 ? 1 - i : i))
    const shape = sizes.map((_, axis) => sizes[axes.indexOf(axis)]!)
    const expected = sizes.map((_, i) => ({
      shape,
      at: (read: Read, index: readonly number[]): number => read(i, index[axes[i]!]!),
    }))
    return { shapes: sizes.map((size) => [size]), call: (...x) => t.meshgrid(x, { indexing }), expected }
  },
  outer: (draw) => {
    const [a, b] = [draw.shape(1, 1), draw.shape(1, 1)]
    const at = (read: Read, [i, j]: readonly number[]): number => read(0, i!) * read(1, j!)
    return { shapes: [a, b], call: (x, y) => [t.outer(x!, y!)], expected: [{ shape: [...a, ...b], at }] }
  },
  dot: (draw) => {
    const shape = draw.shape(1, 1)
    const at = (read: Read): number => sumOf(shape[0]!, (k) => read(0, k) * read(1, k))
    return { shapes: [shape, shape], call: (x, y) => [t.dot(x!, y!)], expected: [{ shape: [], at }] }
  },
  'any and all': (draw) => {
    const shape = draw.shape(1, 3)
    const axis = draw.integer(0, shape.length - 1)
    const rest = shape.filter((_, k) => k !== axis)
    const truths = (read: Read, index: readonly number[]): boolean[] =>
      Array.from(
        { length: shape[axis]! },
        (_, i) => read(0, ...index.slice(0, axis), i, ...index.slice(axis)) > 0,
      )
    return {
      shapes: [shape],
      call: (x) => [t.any(t.greater(x!, 0), { axis }), t.all(t.greater(x!, 0), { axis })],
      expected: [
        { shape: rest, at: (read, index) => Number(truths(read, index).some(Boolean)) },
        { shape: rest, at: (read, index) => Number(truths(read, index).every(Boolean)) },
      ],
    }
  },
  globalAvgPool2d: (draw) => {
    const [n, h, w, c] = [1, 2, 3, 4].map(() => draw.integer(1, 4))
    const at = (read: Read, [i, k]: readonly number[]): number =>
      sumOf(h! * w!, (place) => read(0, i!, ...indexAt([h!, w!], place), k!)) / (h! * w!)
    return {
      shapes: [[n!, h!, w!, c!]],
      call: (x) => [t.globalAvgPool2d(x!)],
      expected: [{ shape: [n!, c!], at }],
    }
  },
  globalMaxPool2d: (draw) => {
    const [n, h, w, c] = [1, 2, 3, 4].map(() => draw.integer(1, 4))
    const at = (read: Read, [i, k]: readonly number[]): number =>
      Math.max(...Array.from({ length: h! * w! }, (_, p) => read(0, i!, ...indexAt([h!, w!], p), k!)))
    return {
      shapes: [[n!, h!, w!, c!]],
      call: (x) => [t.globalMaxPool2d(x!)],
      expected: [{ shape: [n!, c!], at }],
    }
  },
  conv1d: (draw) => {
    const [taps, stride, dilation] = [draw.integer(1, 3), draw.integer(1, 3), draw.integer(1, 2)]
    const [groups, each, out] = [draw.integer(1, 2), draw.integer(1, 3), draw.integer(1, 2)]
    const padding = [draw.integer(0, 2), draw.integer(0, 2)] as const
    const span = (taps - 1) * dilation + 1
    const length = span + draw.integer(0, 4)
    const count = Math.floor((length + padding[0] + padding[1] - span) / stride) + 1
    const at = (read: Read, [i, at, k]: readonly number[]): number =>
      sumOf(taps * each, (place) => {
        const [tap, channel] = indexAt([taps, each], place)
        const from = at! * stride + tap! * dilation - padding[0]
        if (from < 0 || from >= length) return 0
        return read(0, i!, from, Math.floor(k! / out) * each + channel!) * read(1, tap!, channel!, k!)
      })
    return {
      shapes: [
        [2, length, groups * each],
        [taps, each, groups * out],
      ],
      call: (x, filter) => [t.conv1d(x!, filter!, { stride, dilation, padding, groups })],
      expected: [{ shape: [2, count, groups * out], at }],
    }
  },
  convTranspose2d: (draw) => {
    const taps = [draw.integer(1, 3), draw.integer(1, 3)] as const
    const stride = [draw.integer(1, 3), draw.integer(1, 3)] as const
    const dilation = [draw.integer(1, 2), draw.integer(1, 2)] as const
    const outputPadding = stride.map((step) => draw.integer(0, step - 1)) as [number, number]
    const padding = [
      [draw.integer(0, 1), 0],
      [0, draw.integer(0, 1)],
    ] as const
    const count = [draw.integer(2, 4), draw.integer(2, 3)] as const
    const [few, many] = [draw.integer(1, 3), draw.integer(1, 3)]
    // What each element of x spreads to its window, added up: the adjoint of a convolution.
    const size = count.map(
      (n, k) =>
        (n - 1) * stride[k]! +
        (taps[k]! - 1) * dilation[k]! +
        1 +
        outputPadding[k]! -
        padding[k]![0] -
        padding[k]![1],
    )
    const at = (read: Read, [i, row, column, channel]: readonly number[]): number =>
      sumOf(taps[0] * taps[1] * many, (place) => {
        const [u, v, k] = indexAt([...taps, many], place)
        const y = row! + padding[0][0] - u! * dilation[0]
        const x = column! + padding[1][0] - v! * dilation[1]
        const [p, q] = [y / stride[0], x / stride[1]]
        if (!Number.isInteger(p) || !Number.isInteger(q) || p < 0 || q < 0 || p >= count[0] || q >= count[1])
          return 0
        return read(0, i!, p, q, k!) * read(1, u!, v!, channel!, k!)
      })
    return {
      shapes: [
        [2, ...count, many],
        [...taps, few, many],
      ],
      call: (x, filter) => [t.convTranspose2d(x!, filter!, { stride, dilation, padding, outputPadding })],
      expected: [{ shape: [2, ...size, few], at }],
    }
  },
}
