// The update rules in plain float64, written from the papers: the other half of every trajectory test.

/** One update of flat parameters; it keeps its own memory. */
export type Reference = (params: readonly number[], gradients: readonly number[], step: number) => number[]

/** Sutskever et al. 2013: v = β v + lr g, w = w - v. */
export function sgdReference(rate: (step: number) => number, momentum = 0): Reference {
  let v: number[] = []
  return (params, gradients, step) => {
    v = gradients.map((g, i) => momentum * (v[i] ?? 0) + rate(step) * g)
    return params.map((w, i) => w - v[i]!)
  }
}

/** Kingma & Ba 2015, Algorithm 1, with a second epsilon inside the root. */
export function adamReference(
  rate: (step: number) => number,
  options: { beta1?: number; beta2?: number; epsilon?: number; epsilonRoot?: number } = {},
): Reference {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, epsilonRoot = 0 } = options
  let m: number[] = []
  let v: number[] = []
  return (params, gradients, step) => {
    const t = step + 1
    m = gradients.map((g, i) => beta1 * (m[i] ?? 0) + (1 - beta1) * g)
    v = gradients.map((g, i) => beta2 * (v[i] ?? 0) + (1 - beta2) * g ** 2)
    return params.map((w, i) => {
      const mHat = m[i]! / (1 - beta1 ** t)
      const vHat = v[i]! / (1 - beta2 ** t)
      return w - (rate(step) * mHat) / (Math.sqrt(vHat + epsilonRoot) + epsilon)
    })
  }
}
