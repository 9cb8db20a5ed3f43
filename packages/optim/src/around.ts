import { controlsOf, numbered } from './chain.ts'
import { checkSettings, type Settings, settingsAt } from './hyper.ts'
import type { Control, Hyper, Optimizer, Slots } from './optimizer.ts'
import { type Numbers, numbersOf } from './rule.ts'

/** What an optimizer around another is made of: its own part, under the name of the function that a user calls. */
export interface OuterPart<K extends string, N extends string> {
  readonly name: string
  readonly slots: readonly K[]
  readonly values: Settings<N>['values']
  readonly ranges: Settings<N>['ranges']
  /** What it computes with, as that of a rule. All of them are there at every step. */
  readonly numbers: (now: { readonly [n in N]: number }, step: number) => Readonly<Record<string, number>>
}

/** The names and numbers of an optimizer that stands around another: the inner ones keep theirs. */
export interface Around<K extends string> {
  readonly hyperparameters: readonly string[]
  /** What its own slots are called: with a number behind where the inner optimizer has one of that name. */
  readonly slotNames: { readonly [k in K]: string }
  hyper(step: number, control?: Control): Hyper
  /** Its own numbers, out of what `hyper` returned. */
  own(hyper: Hyper): Numbers
  /** The slots of the inner optimizer. */
  inner<P>(slots: Slots<string, P>): Slots<string, P>
}

/** Puts the names and numbers of an outer part beside those of an inner optimizer. */
export function around<K extends string, N extends string>(
  inner: Optimizer<string>,
  { name, slots, values, ranges, numbers }: OuterPart<K, N>,
): Around<K> {
  const settings = checkSettings({ operation: name, values, ranges })
  const hyperNames = numbered([inner.hyperparameters, Object.keys(values)])
  const controls = controlsOf(name, hyperNames)
  const innerSlots = Object.keys(inner.init(null))
  const ownSlots = numbered([innerSlots, slots])[1]!
  const prefix = freePrefix(name, Object.keys(inner.hyper(0)))
  return {
    hyperparameters: hyperNames.flatMap((names) => [...names.values()]),
    slotNames: Object.fromEntries(ownSlots) as { [k in K]: string },
    hyper: (step, control) => {
      const [innerControl, ownControl] = controls(control)
      const made: Hyper = { ...inner.hyper(step, innerControl) }
      const own = numbers(settingsAt(settings, step, ownControl), step)
      for (const key in own) made[`${prefix}${key}`] = own[key]!
      return made
    },
    own: (hyper) => {
      const own: Hyper = {}
      for (const key in hyper) if (key.startsWith(prefix)) own[key.slice(prefix.length)] = hyper[key]!
      return numbersOf(name, own)
    },
    inner: <P>(all: Slots<string, P>) =>
      Object.fromEntries(innerSlots.map((key) => [key, all[key]!])) as Slots<string, P>,
  }
}

/** One optimizer may stand around another of its kind. */
function freePrefix(name: string, taken: readonly string[], count = 1): string {
  const prefix = `${name}${count === 1 ? '' : count}:`
  return taken.some((key) => key.startsWith(prefix)) ? freePrefix(name, taken, count + 1) : prefix
}
