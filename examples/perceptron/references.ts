// Fits by other means, in double precision: what gradient descent is compared with. None uses the library.

type Rows = readonly (readonly number[])[]

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0)

/** The solution of A x = b by Gaussian elimination with partial pivoting. */
export function solve(a: Rows, b: readonly number[]): number[] {
  const rows = a.map((row, i) => [...row, b[i]!])
  const n = b.length
  for (let k = 0; k < n; k++) {
    const pivot = rows.reduce(
      (best, row, i) => (i > k && Math.abs(row[k]!) > Math.abs(rows[best]![k]!) ? i : best),
      k,
    )
    ;[rows[k], rows[pivot]] = [rows[pivot]!, rows[k]!]
    for (let i = k + 1; i < n; i++) {
      const factor = rows[i]![k]! / rows[k]![k]!
      for (let j = k; j <= n; j++) rows[i]![j]! -= factor * rows[k]![j]!
    }
  }
  const x = new Array<number>(n).fill(0)
  for (let i = n - 1; i >= 0; i--) x[i] = (rows[i]![n]! - dot(rows[i]!.slice(0, n), x)) / rows[i]![i]!
  return x
}

/** Least squares by the normal equations: (X'X) w = X'y, with a column of ones behind X for the bias. */
export function leastSquares(x: Rows, y: readonly number[]): number[] {
  const design = x.map((row) => [...row, 1])
  const width = design[0]!.length
  const gram = Array.from({ length: width }, (_, i) =>
    Array.from({ length: width }, (_, j) => design.reduce((sum, row) => sum + row[i]! * row[j]!, 0)),
  )
  const right = Array.from({ length: width }, (_, i) =>
    design.reduce((sum, row, r) => sum + row[i]! * y[r]!, 0),
  )
  return solve(gram, right)
}

/**
 * Softmax regression by Newton's method. The objective is the mean negative log-likelihood + penalty / 2 · the sum of squared weights.
 * Biases are not penalised; the first class is held at 0 where there is no penalty to choose among equals.
 *
 * @returns for each class its weights and, behind them, its bias
 */
export function softmaxRegression(
  x: Rows,
  labels: readonly number[],
  classes: number,
  penalty: number,
): number[][] {
  const design = x.map((row) => [...row, 1])
  const width = design[0]!.length
  let theta = Array.from({ length: classes }, () => new Array<number>(width).fill(0))
  // Parameters of class 0 are fixed if nothing else decides; its bias always.
  const free = (k: number, j: number): boolean => k > 0 || (penalty > 0 && j < width - 1)
  const places = theta.flatMap((row, k) => row.map((_, j) => [k, j] as const)).filter(([k, j]) => free(k, j))
  for (let round = 0; round < 50; round++) {
    const shares = design.map((row) => softmax(theta.map((own) => dot(own, row))))
    const weightOf = (j: number): number => (j < width - 1 ? penalty : 0)
    const gradient = places.map(
      ([k, j]) =>
        design.reduce((sum, row, i) => sum + (shares[i]![k]! - (labels[i] === k ? 1 : 0)) * row[j]!, 0) /
          x.length +
        weightOf(j) * theta[k]![j]!,
    )
    const hessian = places.map(([k, j]) =>
      places.map(
        ([l, m]) =>
          design.reduce((sum, row, i) => {
            const [p, q] = [shares[i]![k]!, shares[i]![l]!]
            return sum + p * ((k === l ? 1 : 0) - q) * row[j]! * row[m]!
          }, 0) /
            x.length +
          (k === l && j === m ? weightOf(j) : 0),
      ),
    )
    const step = solve(hessian, gradient)
    theta = theta.map((row) => [...row])
    for (const [at, [k, j]] of places.entries()) theta[k]![j]! -= step[at]!
    if (Math.max(...step.map(Math.abs)) < 1e-12) break
  }
  return theta
}

function softmax(scores: readonly number[]): number[] {
  const most = Math.max(...scores)
  const powers = scores.map((score) => Math.exp(score - most))
  const sum = powers.reduce((a, b) => a + b)
  return powers.map((power) => power / sum)
}

/**
 * The support vector machine: least |w|²/2 + cost · sum of max(0, 1 - y f), through its dual, by sequential minimal optimization
 * of the pair that violates most (Platt 1998; Keerthi et al. 2001). A huge cost gives the largest margin.
 *
 * @param y -1 or 1
 */
export function supportVectorMachine(
  x: Rows,
  y: readonly number[],
  cost: number,
): { weight: number[]; bias: number } {
  const alpha = x.map(() => 0)
  // y_i minus w x_i: what the bias would have to be.
  const lacks = [...y]
  for (let round = 0; ; round++) {
    const rises = [...alpha.keys()].filter((i) => (y[i]! > 0 ? alpha[i]! < cost : alpha[i]! > 0))
    const falls = [...alpha.keys()].filter((i) => (y[i]! > 0 ? alpha[i]! > 0 : alpha[i]! < cost))
    const up = rises.reduce((best, i) => (lacks[i]! > lacks[best]! ? i : best))
    const down = falls.reduce((best, i) => (lacks[i]! < lacks[best]! ? i : best))
    const gap = lacks[up]! - lacks[down]!
    if (gap < 1e-12 || round === 100_000) {
      const weight = x[0]!.map((_, j) => x.reduce((sum, row, i) => sum + alpha[i]! * y[i]! * row[j]!, 0))
      return { weight, bias: (lacks[up]! + lacks[down]!) / 2 }
    }
    const apart = x[up]!.reduce((sum, value, j) => sum + (value - x[down]![j]!) ** 2, 0)
    const room = [
      y[up]! > 0 ? cost - alpha[up]! : alpha[up]!,
      y[down]! > 0 ? alpha[down]! : cost - alpha[down]!,
    ]
    const step = Math.min(gap / apart, ...room)
    alpha[up]! += y[up]! * step
    alpha[down]! -= y[down]! * step
    for (const i of lacks.keys()) lacks[i]! -= step * (dot(x[up]!, x[i]!) - dot(x[down]!, x[i]!))
  }
}

/** Half the distance between two sets of points in the plane, hull to hull: the largest margin there is, by geometry alone. */
export function largestMargin(a: Rows, b: Rows): number {
  const toSegments = (points: Rows, ends: Rows): number => {
    let least = Number.POSITIVE_INFINITY
    for (const p of points) {
      for (const from of ends) {
        for (const to of ends) {
          const along = to.map((value, j) => value - from[j]!)
          const away = p.map((value, j) => value - from[j]!)
          const share = Math.min(1, Math.max(0, dot(away, along) / (dot(along, along) || 1)))
          least = Math.min(least, Math.hypot(...away.map((value, j) => value - share * along[j]!)))
        }
      }
    }
    return least
  }
  return Math.min(toSegments(a, b), toSegments(b, a)) / 2
}
