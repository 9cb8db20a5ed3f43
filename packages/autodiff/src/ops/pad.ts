import { apply, type Operand, tensorOperand } from '../apply.ts'
import { zeros } from '../creation.ts'
import { failRange, kindOf, shown } from '../fail.ts'
import { ordinary } from '../info.ts'
import type { OperationInfo } from '../operation.ts'
import { checkOptions } from '../options.ts'
import { passing } from '../passing.ts'
import { checkShape, type Shape, showShape } from '../shape.ts'
import { alias, type Tensor, tensor } from '../tensor.ts'
import { concat } from './concat.ts'
import { flip } from './flip.ts'
import { padOperation, slice } from './slice.ts'
import { broadcastTo } from './sum.ts'
import { where } from './where.ts'

/** What stands around the tensor. */
export interface PadOptions {
  /** `constant` by default; `reflect` mirrors at the outermost elements without repeating them; `edge` repeats these. */
  readonly mode?: 'constant' | 'reflect' | 'edge'
  /** What `constant` puts around: a number or a scalar, 0 by default. */
  readonly value?: Operand
}

type Width = readonly [before: number, after: number]

/**
 * The tensor with something before and after it on each axis: zeros, another constant, its mirror image, or its outermost
 * elements. With zeros it is the adjoint of `slice`; the cotangents of what was copied add up, those of constants go to `value`.
 *
 * @param x any shape
 * @param widths how many before and after, for each axis; a number, or one pair, for all
 * @param options.mode `'constant'` by default, `'reflect'` or `'edge'`
 * @param options.value of mode constant: a number, or a tensor without axes, which has a gradient; 0 by default
 * @throws RangeError when there is not one pair of integers from 0 on for each axis, there is nothing to repeat, or a mirror is
 * wider than the axis without its first element
 * @example
 * t.pad(t.tensor([1, 2]), [[1, 2]]).toArray() // => [0, 1, 2, 0, 0]
 * t.pad(t.tensor([1, 2, 3]), 2, { mode: 'reflect' }).toArray() // => [3, 2, 1, 2, 3, 2, 1]
 * t.pad(t.tensor([1, 2]), 1, { mode: 'edge' }).toArray() // => [1, 1, 2, 2]
 */
export function pad(
  x: Tensor,
  widths: number | readonly number[] | readonly (readonly number[])[],
  options: PadOptions = {},
): Tensor {
  const from = tensorOperand('pad', x)
  checkOptions('pad', options, ['mode', 'value'])
  const pairs = pairsOf(widths, from.rank)
  const { mode = 'constant', value = 0 } = options
  if (mode !== 'constant' && mode !== 'reflect' && mode !== 'edge')
    failRange(
      'pad',
      `mode must be 'constant', 'reflect' or 'edge', got ${typeof mode === 'string' ? `'${mode}'` : kindOf(mode)}`,
    )
  checkShape(
    'pad',
    from.shape.map((size, axis) => size + pairs[axis]![0] + pairs[axis]![1]),
  )
  if (mode !== 'constant') {
    if (options.value !== undefined) failRange('pad', `mode '${mode}' has no value`, 'leave it out')
    for (const [axis, pair] of pairs.entries()) checkSource(mode, from.shape, axis, pair)
    return around(from, pairs, mode)
  }
  if (typeof value === 'number') return apply(padOperation, [from], { widths: pairs, value })
  const given = tensorOperand('pad', value)
  if (given.rank !== 0)
    failRange(
      'pad',
      `value must have no axes, got shape ${showShape(given.shape)}`,
      'pass a number or a scalar',
    )
  const outside = passing(zeros(from.shape), (inside) =>
    apply(padOperation, [inside], { widths: pairs, value: 1 }),
  )
  return passing(outside, () =>
    passing(apply(padOperation, [from], { widths: pairs, value: 0 }), (whole) =>
      where(outside, given, whole),
    ),
  )
}

function pairsOf(widths: unknown, rank: number): readonly Width[] {
  const isWidth = (n: unknown): boolean => Number.isInteger(n) && (n as number) >= 0
  const isPair = (pair: unknown): pair is Width =>
    Array.isArray(pair) && pair.length === 2 && isWidth(pair[0]) && isWidth(pair[1])
  if (isWidth(widths)) return new Array<Width>(rank).fill([widths as number, widths as number])
  if (isPair(widths)) return new Array<Width>(rank).fill(widths)
  const pairs: unknown[] = Array.isArray(widths) ? Array.from(widths) : []
  if (!Array.isArray(widths) || pairs.length !== rank || !pairs.every(isPair))
    failRange('pad', `rank ${rank} needs a pair of integers from 0 on for each axis, got ${shown(widths)}`)
  return pairs
}

function checkSource(mode: 'reflect' | 'edge', shape: Shape, axis: number, pair: Width): void {
  const width = Math.max(...pair)
  const size = shape[axis]!
  if (width === 0 || (mode === 'edge' ? size > 0 : width < size)) return
  if (mode === 'edge')
    failRange('pad', `axis ${axis} of shape ${showShape(shape)} has no edge to repeat`, "use mode 'constant'")
  failRange(
    'pad',
    `mode 'reflect' needs widths below the size, got ${shown(pair)} for axis ${axis} of shape ${showShape(shape)}`,
    "use mode 'edge', or pad in steps",
  )
}

function around(x: Tensor, pairs: readonly Width[], mode: 'reflect' | 'edge'): Tensor {
  let padded = alias('pad', x)
  for (const [axis, [before, after]] of pairs.entries()) {
    if (before + after === 0) continue
    padded = passing(padded, (whole) => {
      const size = whole.shape[axis]!
      const [left, right] = mode === 'edge' ? [0, size - 1] : [1, size - 1 - after]
      const parts = [border(whole, axis, left, before, mode), whole, border(whole, axis, right, after, mode)]
      try {
        return concat(parts, { axis })
      } finally {
        for (const part of parts) if (part !== whole) part.dispose()
      }
    })
  }
  return padded
}

// What stands on one side: the mirror image of `width` elements from `first` on, or `width` copies of that one.
function border(x: Tensor, axis: number, first: number, width: number, mode: 'reflect' | 'edge'): Tensor {
  const only = (n: number): number[] => x.shape.map((_, i) => (i === axis ? n : 0))
  const size = mode === 'edge' ? Math.min(1, width) : width
  const end = x.shape.map((own, i) => (i === axis ? first + size : own))
  return passing(slice(x, only(first), end), (part) =>
    mode === 'reflect'
      ? flip(part, { axis })
      : broadcastTo(
          part,
          x.shape.map((own, i) => (i === axis ? width : own)),
        ),
  )
}

export const info: readonly OperationInfo[] = [
  {
    operation: padOperation,
    sample: (draw) => {
      const shape = draw.shape(0, 3)
      const mode = draw.pick(['constant', 'reflect', 'edge'] as const)
      const most = shape.map((size) => (mode === 'reflect' ? size - 1 : mode === 'edge' ? size * 3 : 3))
      const widths = most.map((n) => [
        draw.integer(0, Math.max(0, Math.min(n, 3))),
        draw.integer(0, Math.max(0, Math.min(n, 2))),
      ])
      const options = draw.pick<PadOptions>([{}, { value: 1.5 }])
      if (mode !== 'constant') return { shapes: [shape], call: (x) => pad(x!, widths, { mode }) }
      if (draw.integer(0, 2) < 2) return { shapes: [shape], call: (x) => pad(x!, widths, options) }
      return { shapes: [shape, []], call: (x, value) => pad(x!, widths, { value: value! }) }
    },
    domains: [ordinary],
    ulps: 0,
    errors: [
      {
        call: () => pad(tensor([1]), [[1, -1]]),
        kind: 'RangeError',
        message: 'pad: rank 1 needs a pair of integers from 0 on for each axis, got [[1,-1]]',
      },
      {
        call: () => pad(tensor([1, 2]), [[0, 2]], { mode: 'reflect' }),
        kind: 'RangeError',
        message:
          "pad: mode 'reflect' needs widths below the size, got [0,2] for axis 0 of shape [2]; use mode 'edge', or pad in steps",
      },
      {
        call: () => pad(tensor([], [0]), 1, { mode: 'edge' }),
        kind: 'RangeError',
        message: "pad: axis 0 of shape [0] has no edge to repeat; use mode 'constant'",
      },
      {
        call: () => pad(tensor([1]), 1, { mode: 'edge', value: 1 }),
        kind: 'RangeError',
        message: "pad: mode 'edge' has no value; leave it out",
      },
      {
        call: () => pad(tensor([1]), 1, { mode: 'wrap' as 'edge' }),
        kind: 'RangeError',
        message: "pad: mode must be 'constant', 'reflect' or 'edge', got 'wrap'",
      },
    ],
  },
]
