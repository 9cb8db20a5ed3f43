import * as t from '@tapeflow/autodiff'

/** Parameters of every problem: a tree of two levels. */
export type Params = Readonly<Record<string, readonly t.Tensor[]>>

/** Something to minimise: as tensors, and in plain float64 with its gradient. */
export interface Problem {
  readonly name: string
  /** A rate at which plain gradient descent does not blow up. */
  readonly rate: number
  readonly start: () => Params
  readonly loss: (params: Params, step: number) => t.Tensor
  /** The same in float64, at the parameters in the order of `t.leaves`. */
  readonly value: (flat: readonly number[], step: number) => number
  readonly gradient: (flat: readonly number[], step: number) => number[]
}

const scales = [1, 10, 0.5]
const quadratic: Problem = {
  name: 'quadratic',
  rate: 0.05,
  start: () => ({ at: [t.tensor([1, -2, 3])] }),
  loss: ({ at }) => t.sum(t.mul(t.square(at![0]!), t.tensor(scales.map((a) => a / 2)))),
  value: (x) => x.reduce((sum, value, i) => sum + (scales[i]! * value * value) / 2, 0),
  gradient: (x) => x.map((value, i) => scales[i]! * value),
}

const coordinates = ({ x, y }: Params): readonly [t.Tensor, t.Tensor] => [x![0]!, y![0]!]

const rosenbrock: Problem = {
  name: 'rosenbrock',
  rate: 1e-3,
  start: () => ({ x: [t.tensor(-1.2)], y: [t.tensor(1)] }),
  loss: (params) => {
    const [x, y] = coordinates(params)
    return t.add(t.square(t.sub(1, x)), t.mul(t.square(t.sub(y, t.square(x))), 100))
  },
  value: ([x = 0, y = 0]) => (1 - x) ** 2 + 100 * (y - x * x) ** 2,
  gradient: ([x = 0, y = 0]) => [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)],
}

const beale: Problem = {
  name: 'beale',
  rate: 2e-3,
  start: () => ({ x: [t.tensor(1)], y: [t.tensor(-0.5)] }),
  loss: (params) => {
    const [x, y] = coordinates(params)
    const term = (constant: number, power: t.Tensor): t.Tensor =>
      t.square(t.add(t.sub(constant, x), t.mul(x, power)))
    const y2 = t.square(y)
    return t.add(t.add(term(1.5, y), term(2.25, y2)), term(2.625, t.mul(y2, y)))
  },
  value: ([x = 0, y = 0]) =>
    [1.5, 2.25, 2.625].reduce((sum, constant, i) => sum + (constant - x + x * y ** (i + 1)) ** 2, 0),
  gradient: ([x = 0, y = 0]) => {
    const terms = [1.5, 2.25, 2.625].map((constant, i) => constant - x + x * y ** (i + 1))
    const dx = terms.map((term, i) => 2 * term * (y ** (i + 1) - 1))
    const dy = terms.map((term, i) => 2 * term * x * (i + 1) * y ** i)
    return [dx, dy].map((parts) => parts.reduce((sum, part) => sum + part, 0))
  },
}

// Values in [-1, 1) that look random: the fractions of multiples of an irrational number.
const noise = (index: number): number => 2 * ((index * 0.754877666) % 1) - 1
const rows = 8
const batch = (step: number): { inputs: number[][]; targets: number[] } => {
  const inputs = Array.from({ length: rows }, (_, r) =>
    [0, 1, 2].map((c) => noise(97 * step + 3 * r + c + 1)),
  )
  const targets = inputs.map(
    ([a, b, c], r) => 2 * a! - b! + 0.5 * c! + 3 + 0.3 * noise(31 * step + 7 * r + 5),
  )
  return { inputs, targets }
}

const errorsAt = (
  [bias = 0, ...weight]: readonly number[],
  { inputs, targets }: ReturnType<typeof batch>,
): number[] => inputs.map((row, r) => row.reduce((sum, x, c) => sum + x * weight[c]!, bias) - targets[r]!)

const regression: Problem = {
  name: 'noisy linear regression, another batch at each step',
  rate: 0.1,
  start: () => ({ biases: [t.tensor([0])], weights: [t.tensor([[0.1], [0.2], [-0.3]])] }),
  loss: ({ biases, weights }, step) => {
    const { inputs, targets } = batch(step)
    const predicted = t.add(t.matmul(t.tensor(inputs), weights![0]!), biases![0]!)
    return t.mean(t.square(t.sub(predicted, t.tensor(targets.map((target) => [target])))))
  },
  value: (flat, step) => errorsAt(flat, batch(step)).reduce((sum, error) => sum + error * error, 0) / rows,
  gradient: (flat, step) => {
    const { inputs } = batch(step)
    const errors = errorsAt(flat, batch(step))
    const over = (factor: (row: readonly number[]) => number): number =>
      errors.reduce((sum, error, r) => sum + (2 * error * factor(inputs[r]!)) / rows, 0)
    return [over(() => 1), over((row) => row[0]!), over((row) => row[1]!), over((row) => row[2]!)]
  },
}

/** What every optimizer is tested on. */
export const problems: readonly Problem[] = [quadratic, rosenbrock, beale, regression]
