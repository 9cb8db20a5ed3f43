import { adam, chain, cosineDecay, descend, scaleByAdam } from '@tapeflow/optim'
import { constantly, type Reference, type Row } from './row.ts'

/** Kingma & Ba 2015, Algorithm 1, with a second epsilon inside the root. */
function reference(
  rate: (step: number) => number,
  options: {
    beta1?: number
    beta2?: number
    epsilon?: number
    epsilonRoot?: number
    epsilonHat?: boolean
  } = {},
): Reference {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, epsilonRoot = 0, epsilonHat = false } = options
  let m: number[] = []
  let v: number[] = []
  return (params, gradients, step) => {
    const t = step + 1
    m = gradients.map((g, i) => beta1 * (m[i] ?? 0) + (1 - beta1) * g)
    v = gradients.map((g, i) => beta2 * (v[i] ?? 0) + (1 - beta2) * g ** 2)
    return params.map((w, i) => {
      const mHat = m[i]! / (1 - beta1 ** t)
      const vHat = v[i]! / (1 - beta2 ** t)
      // Section 2: alpha √(1 - beta2^t) / (1 - beta1^t), and epsilon hat beside √v.
      const added = epsilonHat ? epsilon / Math.sqrt(1 - beta2 ** t) : epsilon
      return w - (rate(step) * mHat) / (Math.sqrt(vHat + epsilonRoot) + added)
    })
  }
}

const row = (options: Parameters<typeof reference>[1] & object): Row => ({
  name: `adam ${JSON.stringify(options)}`,
  optimizer: (rate) => adam({ learningRate: rate, ...options }),
  reference: (rate) => reference(constantly(rate), options),
})

export const rows: readonly Row[] = [
  { ...row({}), golden: 'adam' },
  row({ beta1: 0.5, beta2: 0.9 }),
  row({ beta1: 0, beta2: 0.9 }),
  row({ epsilon: 0.5 }),
  row({ epsilon: 0, epsilonRoot: 0.5 }),
  row({ epsilon: 0.1, epsilonHat: true }),
  {
    name: 'adam on a schedule',
    optimizer: (rate) => adam({ learningRate: cosineDecay({ from: rate, steps: 25 }) }),
    reference: (rate) => reference((step) => (rate * (1 + Math.cos(Math.PI * Math.min(step / 25, 1)))) / 2),
  },
  {
    name: 'scaleByAdam and descend',
    optimizer: (rate) => chain(scaleByAdam(), descend({ learningRate: rate })),
    trees: 1,
    reference: (rate) => reference(constantly(rate)),
  },
]
