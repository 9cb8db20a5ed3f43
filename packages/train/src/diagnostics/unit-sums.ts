/** Sums of each unit's outputs and of their squares. */
export interface UnitSums {
  count: number
  readonly sums: Float64Array
  readonly squares: Float64Array
}

export function unitSums(units: number): UnitSums {
  return { count: 0, sums: new Float64Array(units), squares: new Float64Array(units) }
}

export function addToUnits(to: UnitSums, values: Float32Array, units: number): void {
  const { sums, squares } = to
  for (let row = 0; row < values.length; row += units) {
    for (let unit = 0; unit < units; unit++) {
      const value = values[row + unit]!
      sums[unit]! += value
      squares[unit]! += value * value
    }
  }
  to.count += values.length / units
}

/** Of the mean square of a layer's outputs: what the units' means make, and what their variances make. */
export function energies({ count, sums, squares }: UnitSums): {
  readonly means: number
  readonly variances: number
} {
  let means = 0
  let all = 0
  for (let unit = 0; unit < sums.length; unit++) {
    means += (sums[unit]! / count) ** 2
    all += squares[unit]! / count
  }
  return { means: means / sums.length, variances: Math.max(0, all - means) / sums.length }
}

/** The mean square of what the units' means moved by. */
export function movedMeans(before: UnitSums, now: UnitSums): number {
  let moved = 0
  for (let unit = 0; unit < now.sums.length; unit++) {
    moved += (now.sums[unit]! / now.count - before.sums[unit]! / before.count) ** 2
  }
  return moved / now.sums.length
}
