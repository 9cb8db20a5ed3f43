import * as t from '@tapeflow/autodiff'

/** Rows of features, and what belongs to each. */
export interface Samples {
  readonly x: t.Tensor
  readonly y: t.Tensor
}

/** Exclusive or: four rows that no line separates. x `[4, 2]`, y `[4, 1]`. */
export function exclusiveOr(): Samples {
  return {
    x: t.tensor([
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ]),
    y: t.tensor([[0], [1], [1], [0]]),
  }
}

/** A ring around a disc, in Cartesian coordinates: x `[2 count, 2]`, y `[2 count, 1]`, 1 on the ring. */
export function rings(key: t.Key, count: number): Samples {
  return t.scope(() => {
    const angle = t.uniform(t.foldIn(key, 'angle'), [2 * count], 0, 2 * Math.PI)
    const noise = t.uniform(t.foldIn(key, 'radius'), [2 * count], 0, 1)
    const outer = t.reshape(t.concat([t.zeros([count]), t.ones([count])]), [2 * count])
    const radius = t.add(noise, t.mul(outer, 2))
    return {
      x: t.stack([t.mul(radius, t.cos(angle)), t.mul(radius, t.sin(angle))], { axis: 1 }),
      y: t.reshape(outer, [2 * count, 1]),
    }
  })
}

/** A sine with noise: x `[count, 1]` from -1 to 1, y `[count, 1]`. */
export function noisySine(key: t.Key, count: number, noise: number): Samples {
  return t.scope(() => {
    const x = t.uniform(t.foldIn(key, 'x'), [count, 1], -1, 1)
    const error = t.mul(t.normal(t.foldIn(key, 'noise'), [count, 1]), noise)
    return { x, y: t.add(t.sin(t.mul(x, 5)), error) }
  })
}
