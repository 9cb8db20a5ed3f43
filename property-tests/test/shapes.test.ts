import * as t from '@tapeflow/autodiff'
import type { Draw } from '@tapeflow/autodiff/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { draws } from '../src/arbitraries/draws.ts'
import {
  assertAdjointIsConsistent,
  assertCompiledEqualsEager,
  assertKernelMatchesReference,
  assertLeavesNoTrace,
} from '../src/index.ts'
import { assertProperty } from './runs.ts'

// What moves and copies elements is told by one sentence: which place of the input stands at a place of the output. Here that is
// written once more, apart from the kernels, the references and the ways in which the functions are composed.

type Places = readonly number[]

interface Moved {
  readonly shape: t.Shape
  readonly call: (x: t.Tensor) => t.Tensor
  /** The shape that comes out, and the place of the input that stands at each place of it: null for a 9. */
  readonly result: t.Shape
  readonly from: (at: Places) => Places | null
}

const remainder = (n: number, size: number): number => ((n % size) + size) % size
const counted = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis)
const placed = (places: Places, axis: number, value: number): Places =>
  places.map((at, i) => (i === axis ? value : at))
const anyAxis = (draw: Draw, rank: number): number => draw.integer(-rank, rank - 1)

/** The place of an element in row-major order, and back. */
const flat = (places: Places, shape: t.Shape): number =>
  shape.reduce((n, size, i) => n * size + places[i]!, 0)
function unflat(place: number, shape: t.Shape): Places {
  let rest = place
  return shape
    .toReversed()
    .map((size) => {
      const at = rest % size
      rest = Math.floor(rest / size)
      return at
    })
    .toReversed()
}

const samplers: Readonly<Record<string, (draw: Draw) => Moved>> = {
  permute: (draw) => {
    const shape = draw.shape(0, 4)
    const left = [...shape.keys()]
    const axes = shape.map(() => left.splice(draw.integer(0, left.length - 1), 1)[0]!)
    const given = axes.map((axis) => (draw.integer(0, 1) === 0 ? axis : axis - shape.length))
    return {
      shape,
      call: (x) => t.permute(x, given),
      result: axes.map((axis) => shape[axis]!),
      from: (at) => shape.map((_, axis) => at[axes.indexOf(axis)]!),
    }
  },
  swapAxes: (draw) => {
    const shape = draw.shape(1, 4)
    const [a, b] = [anyAxis(draw, shape.length), anyAxis(draw, shape.length)]
    const swapped = <T>(items: readonly T[]): T[] => {
      const copy = items.slice()
      const [i, j] = [counted(a, shape.length), counted(b, shape.length)]
      copy[i] = items[j]!
      copy[j] = items[i]!
      return copy
    }
    return { shape, call: (x) => t.swapAxes(x, a, b), result: swapped(shape), from: swapped }
  },
  moveAxis: (draw) => {
    const shape = draw.shape(1, 4)
    const [from, to] = [anyAxis(draw, shape.length), anyAxis(draw, shape.length)]
    const moved = <T>(items: readonly T[], source: number, target: number): T[] => {
      const copy = items.slice()
      copy.splice(counted(target, shape.length), 0, ...copy.splice(counted(source, shape.length), 1))
      return copy
    }
    return {
      shape,
      call: (x) => t.moveAxis(x, from, to),
      result: moved(shape, from, to),
      from: (at) => moved(at, to, from),
    }
  },
  flip: (draw) => {
    const shape = draw.shape(1, 4)
    const axis = anyAxis(draw, shape.length)
    const own = counted(axis, shape.length)
    return {
      shape,
      call: (x) => t.flip(x, { axis }),
      result: shape,
      from: (at) => placed(at, own, shape[own]! - 1 - at[own]!),
    }
  },
  roll: (draw) => {
    const shape = draw.shape(1, 3)
    const axis = shape.map((_, i) => i)
    const shifts = axis.map(() => draw.integer(-40, 40))
    return {
      shape,
      call: (x) => t.roll(x, shifts, { axis }),
      result: shape,
      from: (at) => at.map((n, i) => remainder(n - shifts[i]!, shape[i]!)),
    }
  },
  'roll of all elements': (draw) => {
    const shape = draw.shape(0, 3)
    const shift = draw.integer(-400, 400)
    return {
      shape,
      call: (x) => t.roll(x, shift),
      result: shape,
      from: (at) => unflat(remainder(flat(at, shape) - shift, t.sizeOf(shape)), shape),
    }
  },
  tile: (draw) => {
    const shape = draw.shape(0, 3)
    const counts = Array.from({ length: draw.integer(0, 4) }, () => draw.integer(0, 3))
    const rank = Math.max(shape.length, counts.length)
    const ones = (n: number): number[] => new Array<number>(n).fill(1)
    const sizes = [...ones(rank - shape.length), ...shape]
    const times = [...ones(rank - counts.length), ...counts]
    return {
      shape,
      call: (x) => t.tile(x, counts),
      result: sizes.map((size, i) => size * times[i]!),
      from: (at) => at.map((n, i) => n % sizes[i]!).slice(rank - shape.length),
    }
  },
  repeat: (draw) => {
    const shape = draw.shape(1, 3)
    const axis = anyAxis(draw, shape.length)
    const own = counted(axis, shape.length)
    const times = draw.integer(0, 3)
    return {
      shape,
      call: (x) => t.repeat(x, times, { axis }),
      result: shape.map((size, i) => (i === own ? size * times : size)),
      from: (at) => placed(at, own, Math.floor(at[own]! / times)),
    }
  },
  'repeat by counts': (draw) => {
    const shape = [3, ...draw.shape(0, 2)]
    const times = [draw.integer(0, 2), draw.integer(0, 3), draw.integer(0, 2)]
    const rows = times.flatMap((count, i) => new Array<number>(count).fill(i))
    return {
      shape,
      call: (x) => t.repeat(x, times, { axis: 0 }),
      result: [rows.length, ...shape.slice(1)],
      from: ([at, ...rest]) => [rows[at!]!, ...rest],
    }
  },
  'repeat of all elements': (draw) => {
    const shape = draw.shape(0, 3)
    return {
      shape,
      call: (x) => t.repeat(x, 2),
      result: [2 * t.sizeOf(shape)],
      from: ([at]) => unflat(Math.floor(at! / 2), shape),
    }
  },
  'pad by a constant': (draw) => {
    const shape = draw.shape(0, 3)
    const [before, after] = [draw.integer(0, 3), draw.integer(0, 2)]
    return {
      shape,
      call: (x) => t.pad(x, [before, after], { value: 9 }),
      result: shape.map((size) => size + before + after),
      from: (at) => {
        const places = at.map((n) => n - before)
        return places.every((n, i) => n >= 0 && n < shape[i]!) ? places : null
      },
    }
  },
  'pad by edges': (draw) => {
    const shape = draw.shape(1, 3)
    const axis = draw.integer(0, shape.length - 1)
    const [before, after] = shape[axis] === 0 ? [0, 0] : [draw.integer(0, 5), draw.integer(0, 5)]
    const widths = shape.map((_, i) => (i === axis ? [before, after] : [0, 0]))
    return {
      shape,
      call: (x) => t.pad(x, widths, { mode: 'edge' }),
      result: shape.map((size, i) => (i === axis ? size + before + after : size)),
      from: (at) => placed(at, axis, Math.min(Math.max(at[axis]! - before, 0), shape[axis]! - 1)),
    }
  },
  'pad by reflection': (draw) => {
    const shape = draw.shape(0, 3)
    const widths = shape.map((size) => [0, 1].map(() => draw.integer(0, Math.max(0, Math.min(4, size - 1)))))
    return {
      shape,
      call: (x) => t.pad(x, widths, { mode: 'reflect' }),
      result: shape.map((size, i) => size + widths[i]![0]! + widths[i]![1]!),
      from: (at) =>
        at.map((n, i) => {
          const place = Math.abs(n - widths[i]![0]!)
          return place < shape[i]! ? place : 2 * (shape[i]! - 1) - place
        }),
    }
  },
  'gather along an axis': (draw) => {
    const rest = draw.shape(0, 2)
    const axis = draw.integer(0, rest.length)
    const shape = [...rest.slice(0, axis), 4, ...rest.slice(axis)]
    const indices = [draw.integer(0, 3), draw.integer(0, 3), draw.integer(0, 3)]
    return {
      shape,
      call: (x) => t.gather(x, t.tensor(indices), { axis: axis - shape.length }),
      result: placed(shape, axis, 3),
      from: (at) => placed(at, axis, indices[at[axis]!]!),
    }
  },
  takeAlongAxis: (draw) => {
    const rest = draw.shape(0, 2)
    const axis = draw.integer(0, rest.length)
    const shape = [...rest.slice(0, axis), 4, ...rest.slice(axis)]
    const result = placed(shape, axis, 3)
    const first = draw.integer(0, 3)
    const index = (at: Places): number => (first + 7 * flat(at, result) + flat(at, result) ** 2) % 4
    const indices = Array.from({ length: t.sizeOf(result) }, (_, i) => index(unflat(i, result)))
    return {
      shape,
      call: (x) => t.takeAlongAxis(x, t.tensor(indices, result), { axis }),
      result,
      from: (at) => placed(at, axis, index(at)),
    }
  },
  stack: (draw) => {
    const shape = draw.shape(0, 3)
    const axis = draw.integer(0, shape.length)
    return {
      shape,
      call: (x) => t.stack([x, x, x], { axis }),
      result: [...shape.slice(0, axis), 3, ...shape.slice(axis)],
      from: (at) => at.filter((_, i) => i !== axis),
    }
  },
  split: (draw) => {
    const shape = draw.shape(1, 3)
    const axis = anyAxis(draw, shape.length)
    const own = counted(axis, shape.length)
    const begin = draw.integer(0, shape[own]!)
    const end = draw.integer(begin, shape[own]!)
    return {
      shape,
      call: (x) => t.split(x, [begin, end - begin, shape[own]! - end], { axis })[1]!,
      result: placed(shape, own, end - begin),
      from: (at) => placed(at, own, at[own]! + begin),
    }
  },
  'meshgrid, ij': (draw) => {
    const size = draw.pick([3, 1, 5, 0])
    return {
      shape: [size],
      call: (x) => t.meshgrid([t.zeros([2]), x], { indexing: 'ij' })[1]!,
      result: [2, size],
      from: ([, at]) => [at!],
    }
  },
  'meshgrid, xy': (draw) => {
    const size = draw.pick([3, 1, 5, 0])
    return {
      shape: [size],
      call: (x) => t.meshgrid([x, t.zeros([2]), t.zeros([3])])[0]!,
      result: [2, size, 3],
      from: ([, at]) => [at!],
    }
  },
  squeeze: (draw) => {
    const shape = draw.shape(0, 4)
    return {
      shape,
      call: (x) => t.squeeze(x),
      result: shape.filter((size) => size !== 1),
      from: (at) => {
        const rest = at.slice()
        return shape.map((size) => (size === 1 ? 0 : rest.shift()!))
      },
    }
  },
  expandDims: (draw) => {
    const shape = draw.shape(0, 3)
    const axis = draw.integer(0, shape.length + 1)
    const other = axis === 0 ? -1 : 0
    const added = [axis, counted(other, shape.length + 2)].sort((a, b) => a - b)
    const result: number[] = shape.slice()
    for (const place of added) result.splice(place, 0, 1)
    return {
      shape,
      call: (x) => t.expandDims(x, [axis, other]),
      result,
      from: (at) => at.filter((_, i) => !added.includes(i)),
    }
  },
  flatten: (draw) => {
    const shape = draw.shape(2, 4)
    return {
      shape,
      call: (x) => t.flatten(x, { from: 1 }),
      result: [shape[0]!, t.sizeOf(shape.slice(1))],
      from: ([row, at]) => [row!, ...unflat(at!, shape.slice(1))],
    }
  },
}

const toTheLastBit = {
  ulps: 8,
  scale: (_x: unknown, _y: unknown, magnitudes: ArrayLike<number>) => magnitudes,
}

for (const [name, sampler] of Object.entries(samplers)) {
  describe(name, () => {
    const forSamples = (runs: number, check: (moved: Moved, x: t.Tensor) => void): void => {
      const property = fc.property(draws(sampler), (moved) => {
        t.scope(() =>
          check(
            moved,
            t.tensor(
              new Float32Array(t.sizeOf(moved.shape)).map((_, i) => i + 10),
              moved.shape,
            ),
          ),
        )
      })
      assertProperty(property, runs)
    }

    it(`${name}: each element comes from its place`, () => {
      forSamples(150, ({ call, result, from, shape }, x) => {
        const y = call(x)
        expect(y.shape).toEqual(result)
        const expected = Array.from({ length: y.size }, (_, i) => {
          const places = from(unflat(i, result))
          return places === null ? 9 : flat(places, shape) + 10
        })
        expect(Array.from(y.toFloat32Array())).toEqual(expected)
      })
    })

    it(`${name}: kernel, reference, adjoint and compiled program agree, and nothing leaks`, () => {
      forSamples(25, ({ call }, x) => {
        assertKernelMatchesReference(call, x, toTheLastBit)
        assertAdjointIsConsistent(call, x)
        assertLeavesNoTrace(call, x)
        const both = (y: t.Tensor): t.Tree => [call(y), t.grad((z: t.Tensor) => t.sum(t.square(call(z))))(y)]
        assertCompiledEqualsEager(both, x, {})
      })
    })

    // Those that make their own indices or further tensors inside of the call take more.
    if (/^(gather|takeAlong|meshgrid|split)/.test(name)) return
    it(`${name}: takes memory for the result alone`, () => {
      forSamples(25, ({ call }, x) => {
        const before = t.memory()
        const y = call(x)
        expect(t.memory().tensors - before.tensors).toBe(1)
        y.dispose()
        expect(t.memory().bytes).toBe(before.bytes)
      })
    })
  })
}
