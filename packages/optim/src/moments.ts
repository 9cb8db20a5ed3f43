import { add, mul, scope, sqrt, square, type Tensor } from '@tapeflow/autodiff'
import type { Numbers } from './rule.ts'

/** The numbers that `moments` asks for. */
export function momentNumbers(beta1: number, beta2: number): Readonly<Record<string, number>> {
  return { beta1, beta2, oneMinusBeta1: 1 - beta1, oneMinusBeta2: 1 - beta2 }
}

/** What becomes of m and v after a gradient: β1 m + (1 - β1) g, and β2 v + (1 - β2) g². */
export function moments(
  number: Numbers,
): (g: Tensor, m: Tensor, v: Tensor) => readonly [m: Tensor, v: Tensor] {
  const [beta1, beta2] = [number('beta1'), number('beta2')]
  const [rest1, rest2] = [number('oneMinusBeta1'), number('oneMinusBeta2')]
  // A scope for each: what it frees is the memory that the next one writes to.
  return (g, m, v) => [
    scope(() => add(mul(m, beta1), mul(g, rest1))),
    scope(() => add(mul(v, beta2), mul(square(g), rest2))),
  ]
}

/** What means are divided by: √(v + `scaledEpsilonRoot`) + `scaledEpsilon`, where nothing is added inside if that number is not there. */
export function divisor(number: Numbers): (v: Tensor) => Tensor {
  const epsilon = number('scaledEpsilon')
  const inside = number.has('scaledEpsilonRoot') ? number('scaledEpsilonRoot') : null
  return (v) => add(sqrt(inside === null ? v : add(v, inside)), epsilon)
}
