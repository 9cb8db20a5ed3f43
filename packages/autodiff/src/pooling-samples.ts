import type { Draw } from './operation.ts'
import { type PoolOptions, pooledShape, resolvePool } from './pooling.ts'
import type { Shape } from './shape.ts'

/** Shapes that go with each other, the windows' size and the options. */
export interface PoolSample {
  readonly input: Shape
  readonly output: Shape
  readonly size: readonly [number, number]
  readonly options: PoolOptions
}

/** Draws a small pooling: windows that overlap, touch, leave gaps, and reach over the edge. */
export function poolSample(draw: Draw): PoolSample {
  const channels = draw.shape(1, 1)[0]!
  const size = [draw.pick([2, 1, 3]), draw.pick([2, 3, 1])] as const
  const stride = [draw.pick([2, 1, 3]), draw.pick([2, 1, 3])] as const
  const most = [size[0] - 1, size[1] - 1] as const
  const padding = draw.pick([
    'valid',
    'same',
    most,
    [
      [0, most[0]],
      [most[1], 0],
    ],
  ] as const)
  const images = draw.pick([1, 2, 0])
  const input = [images, size[0] + draw.integer(0, 3), size[1] + draw.integer(0, 3), channels]
  const options = { stride, padding }
  const output = pooledShape('pool', input, resolvePool('pool', input, size, options))
  return { input, output, size, options }
}
