import * as t from '@tapeflow/autodiff'
import type { Loss } from '@tapeflow/nn'

/** Tensors of a batch, or what comes out of a model: one, or several by name. */
export type Values = t.Tensor | { readonly [name: string]: t.Tensor }

/** A loss that counts so many times in the sum of several. */
export interface WeightedLoss {
  readonly loss: Loss
  readonly weight: number
}

/**
 * What a model is trained for: a loss, or several by name, whose sum is made small. Where a model has one output each looks
 * at that; where it has several by name, each looks at the output and the target of its own name.
 */
export type Objective = Loss | { readonly [name: string]: Loss | WeightedLoss }

/** What an objective comes to. */
export interface Judged {
  readonly loss: t.Tensor
  /** Each of several losses, unweighted; null where there is one. */
  readonly losses: Readonly<Record<string, t.Tensor>> | null
}

/** An objective as a function of predictions and targets. */
export type Judge = (prediction: Values, target: Values, weights: t.Tensor | undefined) => Judged

/** The names of several losses, sorted; null where there is one. */
export function lossNames(objective: Objective): readonly string[] | null {
  return typeof objective === 'function' ? null : Object.keys(objective).sort()
}

/** What is wrong with an objective, if anything is. */
export function problemOfObjective(value: unknown): string | undefined {
  if (typeof value === 'function') return undefined
  if (typeof value !== 'object' || value === null) return 'must be a function, or several by name'
  const given = Object.entries(value)
  if (given.length === 0) return 'must be a function, or several by name, not none'
  for (const [name, one] of given) {
    if (typeof one === 'function') continue
    const { loss, weight } = (typeof one === 'object' && one !== null ? one : {}) as Partial<WeightedLoss>
    if (typeof loss !== 'function' || !Number.isFinite(weight)) {
      return `must have a function or { loss, weight } for '${name}'`
    }
  }
  return undefined
}

/** The function that judges predictions. */
export function judge(objective: Objective): Judge {
  if (typeof objective === 'function') {
    return (prediction, target, weights) => {
      const [one, wanted] = [single(prediction, 'model gives'), single(target, 'data has targets for')]
      return { loss: oneNumber(objective(one, wanted, weights)), losses: null }
    }
  }
  const names = lossNames(objective)!
  return (prediction, target, weights) => {
    const losses: Record<string, t.Tensor> = {}
    if (!(prediction instanceof t.Tensor)) requireNames(names, Object.keys(prediction), 'model gives')
    if (!(target instanceof t.Tensor)) requireNames(names, Object.keys(target), 'data has targets for')
    let sum: t.Tensor | null = null
    for (const name of names) {
      const given = objective[name]!
      const { loss, weight } = typeof given === 'function' ? { loss: given, weight: 1 } : given
      const own = oneNumber(loss(named(prediction, name), named(target, name), weights))
      losses[name] = own
      const weighted = weight === 1 ? own : t.mul(own, weight)
      sum = sum === null ? weighted : t.add(sum, weighted)
    }
    return { loss: sum!, losses }
  }
}

/** The tensor of that name; the only one, where there are no names. */
export function named(values: Values, name: string): t.Tensor {
  return values instanceof t.Tensor ? values : values[name]!
}

function single(values: Values, what: string): t.Tensor {
  if (values instanceof t.Tensor) return values
  const names = Object.keys(values).join(', ')
  return t.failRange(
    'fit',
    `the ${what} ${names}, got one loss for all of them`,
    `pass loss: { ${Object.keys(values)[0]}: … }, one for each name`,
  )
}

function requireNames(names: readonly string[], found: readonly string[], what: string): void {
  const sorted = [...found].sort()
  if (names.length === sorted.length && names.every((name, i) => name === sorted[i])) return
  t.failRange('fit', `the ${what} ${sorted.join(', ')}, got losses for ${names.join(', ')}`)
}

function oneNumber(value: t.Tensor): t.Tensor {
  if (!(value instanceof t.Tensor)) {
    t.failType(
      'fit',
      `the loss must return a tensor, got ${t.kindOf(value)}`,
      'return what crossEntropy or mse return',
    )
  }
  if (value.size === 1) return value
  return t.failRange(
    'fit',
    `the loss must be one number, got shape ${t.showShape(value.shape)}`,
    "reduce it: reduction: 'mean'",
  )
}
