import { mul, scope, sub, type Tensor } from '@tapeflow/autodiff'
import { checkSettings, hyperOf, namesOf, type Settings, scalar, settingsAt } from './hyper.ts'
import { leafwise, type Rule, type RuleAt, zeroSlots } from './leafwise.ts'
import type { Hyper, Optimizer, Schedule } from './optimizer.ts'
import type { Range } from './range.ts'
import type { Transform } from './transform.ts'

/** What `hyper` has for an update, by name, as scalars. */
export interface Numbers {
  /** @throws RangeError where it is missing or has axes */
  (name: string): Tensor
  /** Whether it is there: what an update does may depend on this, but not on a value, which recording cannot read. */
  has(name: string): boolean
}

/** An update that does the same with every tensor of the parameters, whatever the others are. */
export interface LeafRule<K extends string, N extends string> {
  /** The function that a user calls, for errors. */
  readonly name: string
  /** Its slots, in the order in which `leaf` takes and returns them; zeros at first. */
  readonly slots: readonly K[]
  /** Its numbers, which may be overridden, and what is allowed. */
  readonly values: { readonly [n in N]: number }
  readonly ranges: { readonly [n in N]: Range }
  /**
   * What an update computes with, made on the host in float64 of the numbers as they are at a step, beside the learning rate:
   * the numbers themselves where it is left out. What is not wanted is not there; which are there does not depend on the step.
   */
  readonly numbers?: (now: { readonly [n in N]: number }, step: number) => Readonly<Record<string, number>>
}

/**
 * A rule that returns `[param, ...slots]`, and takes the learning rate as the number `learningRate`; one for each path where what
 * it does depends on that.
 */
export interface UpdateRule<K extends string, N extends string> extends LeafRule<K, N> {
  readonly leaf: (number: Numbers, gradients: unknown) => Rule | RuleAt
}

/**
 * A rule that turns a gradient into a direction: it returns `[direction, ...slots]`. As an optimizer, parameters move against the
 * direction, learning rate times; as a link of a chain, the direction is what the next link is given.
 */
export interface DirectionRule<K extends string, N extends string> extends LeafRule<K, N> {
  /** @param gradients the whole tree, for what is one number of all its leaves */
  readonly leaf: (number: Numbers, gradients: unknown) => Rule
  /** The name of a number that the direction is yet to be multiplied with: in an optimizer that costs no pass. */
  readonly scale?: string
}

/** An optimizer that applies a rule to each tensor of the parameters. */
export function updating<K extends string, N extends string>(
  rule: UpdateRule<K, N>,
  learningRate: number | Schedule,
): Optimizer<K> {
  const { name, slots } = rule
  const settings = checkSettings({ operation: name, learningRate, values: rule.values, ranges: rule.ranges })
  return {
    name,
    hyperparameters: namesOf(settings),
    init: (params) => zeroSlots(slots, params),
    update: (gradients, now, params, hyper) =>
      scope(() =>
        leafwise(name, slots, gradients, now, params, rule.leaf(numbersOf(name, hyper), gradients)),
      ),
    hyper: numbersAt(rule, settings),
  }
}

/** An optimizer that moves against the direction of a rule. */
export function descending<K extends string, N extends string>(
  rule: DirectionRule<K, N>,
  learningRate: number | Schedule,
): Optimizer<K> {
  const { scale, leaf } = rule
  const moved = (number: Numbers, gradients: unknown): Rule => {
    const rate = number('learningRate')
    const stepSize = scale === undefined ? rate : mul(rate, number(scale))
    const direction = leaf(number, gradients)
    return (w, g, ...slots) => {
      const [made, ...rest] = direction(w, g, ...slots)
      return [sub(w, mul(made!, stepSize)), ...rest]
    }
  }
  return updating({ ...rule, leaf: moved }, learningRate)
}

/** A link of a chain that hands on the direction of a rule. */
export function directing<K extends string, N extends string>(rule: DirectionRule<K, N>): Transform<K> {
  const { name, slots, scale, leaf } = rule
  const settings = checkSettings({ operation: name, values: rule.values, ranges: rule.ranges })
  return {
    name,
    hyperparameters: namesOf(settings),
    init: (params) => zeroSlots(slots, params),
    update: (updates, now, params, hyper) =>
      scope(() => {
        const number = numbersOf(name, hyper)
        const factor = scale === undefined ? null : number(scale)
        const direction = leaf(number, updates)
        const made = leafwise(name, slots, updates, now, params, (w, g, ...beside) => {
          const [made, ...rest] = direction(w, g, ...beside)
          return [factor === null ? made! : mul(made!, factor), ...rest]
        })
        return { updates: made.params, slots: made.slots }
      }),
    hyper: numbersAt(rule, settings),
  }
}

/** What `hyper` returned, read by name. */
export function numbersOf(operation: string, hyper: Hyper): Numbers {
  const number = (name: string): Tensor => scalar(operation, hyper, name)
  return Object.assign(number, { has: (name: string) => hyper[name] !== undefined })
}

function numbersAt<K extends string, N extends string>(
  { numbers }: LeafRule<K, N>,
  settings: Settings<N>,
): Optimizer<K>['hyper'] {
  if (numbers === undefined) return hyperOf(settings)
  return (step, control) => {
    const now = settingsAt(settings, step, control)
    const made = numbers(now, step)
    return settings.learningRate === undefined ? made : { learningRate: now.learningRate, ...made }
  }
}
