/**
 * The error function in float64, within 1e-14 relative: erf(x) = 2/sqrt(pi) e^(-x^2) sum 2^n x^(2n+1) / (2n+1)!!, all of one
 * sign (Abramowitz & Stegun 1964, 7.1.6).
 */
export function erf(x: number): number {
  const size = Math.abs(x)
  if (!(size < 2)) return Number.isNaN(x) ? x : Math.sign(x) * (1 - erfc(size))
  let term = x
  let sum = x
  for (let n = 1; n < 60; n++) {
    term *= (2 * x * x) / (2 * n + 1)
    sum += term
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum
}

/**
 * 1 - erf(x) in float64, within 1e-13 relative, far to the right too: there by the continued fraction
 * e^(-x^2) / sqrt(pi) / (x + (1/2)/(x + 1/(x + (3/2)/(x + …)))) (Abramowitz & Stegun 1964, 7.1.14).
 */
export function erfc(x: number): number {
  if (!(x >= 2)) return 1 - erf(x)
  let fraction = x
  for (let n = 120; n > 0; n--) fraction = x + n / 2 / fraction
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction
}

/** The share of a standard normal distribution that lies below x. */
export function normalBelow(x: number): number {
  return erfc(-x / Math.SQRT2) / 2
}
