// As PyTorch has it: pairs that bend less are left out.
const leastCurvature = 1e-10

/** A step and how the gradient changed over it. */
export interface Pair {
  readonly s: Float32Array
  readonly y: Float32Array
}

/** Parameters, gradient and slots as vectors over all leaves, in the order of `leaves`. */
export interface Vectors {
  readonly params: Float32Array
  readonly gradient: Float32Array
  /** Of the update before. */
  readonly point: Float32Array
  readonly gradientThere: Float32Array
  /** Read when it is asked for: they are as many as all else together. */
  pair(index: number): Pair
}

/** Where to go, and the pair that was learned of the last step, null where there is none. */
export function directionOf(
  { params, gradient, point, gradientThere, pair: remembered }: Vectors,
  history: number,
): { readonly direction: Float64Array; readonly isFirst: boolean; readonly pair: Pair | null } {
  const isFirst = isZero(gradientThere)
  const learned: Pair = { s: minus(params, point), y: minus(gradient, gradientThere) }
  const pair = !isFirst && dot(learned.s, learned.y) > leastCurvature ? learned : null
  const pairAt = (i: number): Pair => {
    if (pair === null) return remembered(i)
    return i === 0 ? pair : remembered(i - 1)
  }

  const direction = new Float64Array(gradient.length)
  addTo(direction, gradient, -1)
  const shares: { readonly alpha: number; readonly bend: number }[] = []
  let scale = 1
  for (let i = 0; i < history; i++) {
    const { s, y } = pairAt(i)
    const bend = dot(s, y)
    // Zeros, as slots begin: there are no older ones.
    if (!(bend > leastCurvature)) break
    if (i === 0) scale = bend / dot(y, y)
    const alpha = dot(s, direction) / bend
    addTo(direction, y, -alpha)
    shares.push({ alpha, bend })
  }
  for (let i = 0; i < direction.length; i++) direction[i]! *= scale
  for (const [i, { alpha, bend }] of [...shares.entries()].reverse()) {
    const { s, y } = pairAt(i)
    addTo(direction, s, alpha - dot(y, direction) / bend)
  }
  return { direction, isFirst, pair }
}

function minus(a: Float32Array, b: Float32Array): Float32Array {
  const difference = new Float32Array(a.length)
  for (let i = 0; i < a.length; i++) difference[i] = a[i]! - b[i]!
  return difference
}

function addTo(sum: Float64Array, x: Float32Array, factor: number): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += factor * x[i]!
}

// Loops: callbacks on typed arrays take ten times as long.

/** Whether all are 0; what is no number is not. */
export function isZero(x: Float32Array): boolean {
  for (let i = 0; i < x.length; i++) if (x[i] !== 0) return false
  return true
}

/** The scalar product, in float64. */
export function dot(a: Float32Array, b: Float32Array | Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}
