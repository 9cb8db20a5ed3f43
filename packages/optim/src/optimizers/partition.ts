import { failRange, scope, type Tree } from '@tapeflow/autodiff'
import { checkOptimizers, partsOf } from '../check-parts.ts'
import type { Evaluate, Hyper, Optimizer, Slots, Updated } from '../optimizer.ts'
import { hyperOfPart, hyperOfParts, namesOfParts } from '../part-numbers.ts'

/** One part of a `partition`: for steps that take the gradients of the parts from different losses. */
export interface Part<K extends string> {
  /** The name of the part. */
  readonly name: string
  /**
   * The part's parameters after one update, and the slots of the whole, of which those of the part are new.
   *
   * @param gradients a tree like `params`
   * @param slots of the whole: what the partition's `init` or the last update, of whichever part, returned
   * @param params those of this part
   * @param hyper of the whole: what the partition's `hyper` returned for this step
   * @param evaluate the part's loss and its gradients at other parameters of this part
   * @throws RangeError where trees or shapes differ
   */
  update<P extends Tree, W>(
    gradients: P,
    slots: Slots<K, W>,
    params: P,
    hyper: Hyper,
    evaluate?: Evaluate<P>,
  ): { readonly params: P; readonly slots: Slots<K, W> }
}

/** What `partition` returns: an optimizer, and its parts one by one. */
export interface Partition<K extends string, N extends string> extends Optimizer<K> {
  /** @throws RangeError where there is no part of that name */
  part(name: N): Part<K>
}

/** The names of an optimizer's slots. */
export type SlotNames<T> = T extends Optimizer<infer K> ? K : never

type Parts = Readonly<Record<string, Tree>>

/** A part with the names of its optimizer's slots. */
interface Own {
  readonly part: string
  readonly optimizer: Optimizer<string>
  readonly slots: readonly string[]
}

const name = 'partition'

/**
 * An optimizer that gives each part of the parameters to an optimizer of its own: `{ generator, discriminator }` to two.
 *
 * All parts step together, each from where the parameters were. What asks `evaluate` (`sam`, `lbfgs`) sees its own part move and the
 * others held. Parts that step one by one, by losses of their own, are updated with `part('generator').update`.
 *
 * Hyperparameters are named by part, `generator.beta1`. `learningRate` in overrides is the rate of every part but those that have one
 * of their own there; `rateScale` scales all. `hyper` names its numbers alike; its `learningRate`, which a run's events show, is that of the
 * first part that has one, and updates no part.
 *
 * A slot has null in the place of the parts whose optimizers have none of its name.
 *
 * @param optimizers one for each top-level name of the parameters; names have no dot
 * @returns an optimizer with the slots of all parts, which is `eager` where one of them is
 * @throws TypeError where something is no optimizer; RangeError where there is none, a name has a dot, or parameters, at `init` or
 * `update`, have other parts
 * @example
 * const optimizer = partition({ generator: adam({ learningRate: 0.5 }), discriminator: sgd({ learningRate: 1 }) })
 * const params = { generator: [t.tensor(1)], discriminator: [t.tensor(1)] }
 * const gradients = { generator: [t.tensor(8)], discriminator: [t.tensor(8)] }
 * const slots = optimizer.init(params)
 * slots.m.discriminator // => null
 * const next = optimizer.update(gradients, slots, params, optimizer.hyper(0)).params
 * ;[next.generator[0].item().toFixed(4), next.discriminator[0].item()] // => ['0.5000', -7]
 *
 * const control = { rateScale: 1, overrides: { 'discriminator.learningRate': 0.25 } }
 * const part = optimizer.part('discriminator')
 * const alone = part.update(gradients.discriminator, slots, params.discriminator, optimizer.hyper(0, control))
 * alone.params[0].item() // => -1
 */
export function partition<const O extends Readonly<Record<string, Optimizer<string>>>>(
  optimizers: O,
): Partition<SlotNames<O[keyof O]>, keyof O & string>
export function partition(
  optimizers: Readonly<Record<string, Optimizer<string>>>,
): Partition<string, string> {
  checkOptimizers(name, optimizers)
  const parts = Object.entries(optimizers)
  const names = Object.keys(optimizers)
  const all = parts.map(
    ([part, optimizer]): Own => ({ part, optimizer, slots: Object.keys(optimizer.init(null)) }),
  )
  const slotNames = [...new Set(all.flatMap(({ slots }) => slots))]
  /** Slots by name, then part, of slots by part, then name. */
  const joined = (made: readonly Slots<string, Tree>[]): Slots<string, Parts> =>
    byName(slotNames, (key) => byName(names, (_, i) => (all[i]!.slots.includes(key) ? made[i]![key]! : null)))
  return {
    name,
    hyperparameters: namesOfParts(parts),
    ...(all.some(({ optimizer }) => optimizer.eager === true) && { eager: true }),
    init: <P extends Tree>(params: P) => {
      // What stands around an optimizer asks for the names of slots with null.
      if (params === null) return byName(slotNames, () => params)
      const own = partsOf(name, 'params', params, names)
      const made = scope(() => joined(all.map(({ part, optimizer }) => optimizer.init(own[part] as Tree))))
      // Null is a leaf that rules pass over: still a P for each name.
      return made as Slots<string, P>
    },
    update: <P extends Tree>(
      gradients: P,
      slots: Slots<string, P>,
      params: P,
      hyper: Hyper,
      evaluate?: Evaluate<P>,
    ) =>
      scope(() => {
        const before = partsOf(name, 'params', params, names)
        const slopes = partsOf(name, 'gradients', gradients, names)
        const made = all.map((own) => {
          const held = evaluate === undefined ? undefined : othersHeld(evaluate, params, own.part)
          return updated<Tree>(own, slopes[own.part] as Tree, slots, before[own.part] as Tree, hyper, held)
        })
        const after = byName(names, (_, i) => made[i]!.params)
        // Every part is rebuilt as it was: still a P, and one for each name of a slot.
        return { params: after as P, slots: joined(made.map(({ slots }) => slots)) as Slots<string, P> }
      }),
    hyper: hyperOfParts(name, parts),
    part: (part) => partOf(all.find((own) => own.part === part) ?? failPart(part, names)),
  }
}

function partOf(own: Own): Part<string> {
  return {
    name: own.part,
    update: (gradients, slots, params, hyper, evaluate) => {
      const made = updated(own, gradients, slots, params, hyper, evaluate)
      const next = byName(own.slots, (key) => ({ ...slots[key]!, [own.part]: made.slots[key]! }))
      return { params: made.params, slots: { ...slots, ...next } }
    },
  }
}

/** The update of a part, from the slots and numbers of the whole. */
function updated<P extends Tree>(
  { part, optimizer, slots: names }: Own,
  gradients: P,
  slots: Slots<string, unknown>,
  params: P,
  hyper: Hyper,
  evaluate: Evaluate<P> | undefined,
): Updated<string, P> {
  // What is missing there, or no P, the optimizer refuses, with its place.
  const before = byName(
    names,
    (key) => (slots[key] as Readonly<Record<string, P>> | null | undefined)?.[part] as P,
  )
  return optimizer.update(gradients, before, params, hyperOfPart(part, hyper), evaluate)
}

/** The loss as a function of one part. */
function othersHeld<P extends Tree>(evaluate: Evaluate<P>, params: P, part: string): Evaluate<Tree> {
  return (own) =>
    scope(() => {
      // A part in the place of the same part: still a P.
      const { value, gradients } = evaluate({ ...(params as Parts), [part]: own } as P)
      return { value, gradients: (gradients as Parts)[part]! }
    })
}

function byName<T>(names: readonly string[], make: (name: string, i: number) => T): Record<string, T> {
  return Object.fromEntries(names.map((name, i) => [name, make(name, i)]))
}

function failPart(part: string, names: readonly string[]): never {
  return failRange(name, `there is no part '${part}'`, `use ${names.join(', ')}`)
}
