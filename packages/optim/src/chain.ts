import { failType, kindOf, mul, scope, type Tensor, where, zipTensors } from '@tapeflow/autodiff'
import { failUnknown } from './hyper.ts'
import type { Control, Hyper, Optimizer, Slots } from './optimizer.ts'
import type { Transform } from './transform.ts'

type Link = Transform<string> | Optimizer<string>
type SlotsOf<T> = T extends Transform<infer K> ? K : never

/**
 * An optimizer made of links: gradients go through the transforms in order, and what the last one makes of them is what the
 * optimizer at the end, mostly `descend`, takes for gradients.
 *
 * Slots and hyperparameters are those of all links. Where two links have one of the same name, that of the second gets a number
 * behind it: of two links `trace` the slots are `trace` and `trace2`. `learningRate` is that of the end. A link may hold what follows (`accumulate`,
 * `applyIfFinite`): parameters and the slots of all links behind it then stay as they were. What an optimizer at the end asks of
 * `evaluate` does not go through the links.
 *
 * @param links transforms, and an optimizer at the end
 * @throws TypeError where a link is neither, and, at an update, where an optimizer stands elsewhere than at the end
 * @example
 * const optimizer = chain(clipByGlobalNorm(1), scaleByAdam(), descend({ learningRate: 0.1 }))
 * optimizer.hyperparameters // => ['maxNorm', 'beta1', 'beta2', 'epsilon', 'epsilonRoot', 'learningRate']
 * Object.keys(optimizer.init({ w: t.tensor([1]) })) // => ['m', 'v']
 */
export function chain<const T extends readonly Transform<string>[], K extends string>(
  ...links: readonly [...T, Optimizer<K>]
): Optimizer<SlotsOf<T[number]> | K> {
  return chained('chain', links)
}

/** A chain under the name of the function that a user calls. */
export function chained<const T extends readonly Transform<string>[], K extends string>(
  name: string,
  links: readonly [...T, Optimizer<K>],
): Optimizer<SlotsOf<T[number]> | K>
export function chained(name: string, links: readonly Link[]): Optimizer<string> {
  checkLinks(name, links)
  const last = links.length - 1
  const transforms = links.slice(0, last) as readonly Transform<string>[]
  const end = links[last] as Optimizer<string>
  const slotNames = numbered(links.map((link) => Object.keys(link.init(null))))
  // The machine steers the rate of the end by this name.
  const kept = end.hyperparameters.filter((name) => name === 'learningRate')
  const hyperNames = numbered(
    links.map(({ hyperparameters }) => hyperparameters),
    kept,
  )
  const controls = controlsOf(name, hyperNames)

  const collected = <P>(slots: readonly Slots<string, P>[]): Slots<string, P> => {
    const entries = slots.flatMap((own, i) =>
      Object.entries(own).map(([key, tree]) => [slotNames[i]!.get(key) ?? key, tree]),
    )
    return Object.fromEntries(entries) as Slots<string, P>
  }
  const own = <P>(slots: Slots<string, P>): Slots<string, P>[] =>
    slotNames.map((names) => Object.fromEntries([...names].map(([key, outer]) => [key, slots[outer]!])))

  return {
    name,
    hyperparameters: hyperNames.flatMap((names) => [...names.values()]),
    ...(end.eager === true && { eager: true }),
    init: (params) => collected(links.map((link) => link.init(params))),
    update: (gradients, slots, params, hyper, evaluate) =>
      scope(() => {
        const before = own(slots)
        const numbers = links.map((_, i) => numbersIn(hyper, i, last))
        const after: (typeof before)[number][] = []
        const conditions: (Tensor | null)[] = []
        let updates = gradients
        let applies: Tensor | null = null
        for (const [i, transform] of transforms.entries()) {
          const made = transform.update(updates, before[i]!, params, numbers[i]!)
          if (made.updates === undefined) failOrder(name, i)
          conditions.push(applies)
          after.push(chosen(applies, made.slots, before[i]!))
          updates = made.updates
          if (made.applies !== undefined)
            applies = applies === null ? made.applies : mul(applies, made.applies)
        }
        const made = end.update(updates, before[last]!, params, numbers[last]!, evaluate)
        if (made.params === undefined) failOrder(name, last)
        after.push(chosen(applies, made.slots, before[last]!))
        const moved = chosen(applies, made.params, params)
        for (const [i, transform] of transforms.entries()) {
          const settled = transform.settle?.(after[i]!, moved, numbers[i]!)
          if (settled !== undefined) after[i] = chosen(conditions[i]!, settled, before[i]!)
        }
        return { params: moved, slots: collected(after) }
      }),
    hyper: (step, control) => {
      const made: Record<string, number | Tensor> = {}
      const own = controls(control)
      let updates = step
      for (const [i, link] of links.entries()) {
        const numbers = link.hyper(updates, own[i])
        for (const key in numbers) made[numberName(key, i, last)] = numbers[key]!
        if ('stepAfter' in link) updates = link.stepAfter?.(updates) ?? updates
      }
      return made
    },
  }
}

function checkLinks(name: string, links: readonly unknown[]): void {
  if (links.length === 0)
    failType(name, 'at least one link is needed, got 0', 'end with descend({ learningRate })')
  for (const [i, link] of links.entries()) {
    if (typeof (link as Partial<Link> | null)?.update === 'function') continue
    failType(
      name,
      `link ${i} must be a transform or an optimizer, got ${kindOf(link)}`,
      'call it: clipByGlobalNorm(1)',
    )
  }
}

function failOrder(name: string, i: number): never {
  return failType(
    name,
    `an optimizer must stand at the end and nowhere else, got another order at link ${i}`,
    'put transforms before it, and descend({ learningRate }) last',
  )
}

/**
 * The names of each link, and what a chain calls them: a number goes behind those that earlier links have, or that are kept for the
 * last one.
 */
export function numbered(
  links: readonly (readonly string[])[],
  kept: readonly string[] = [],
): readonly ReadonlyMap<string, string>[] {
  const taken = new Set<string>()
  const free = (name: string, count: number): string => {
    const tried = `${name}${count}`
    return taken.has(tried) ? free(name, count + 1) : tried
  }
  return links.map((names, i) => {
    const reserved = i === links.length - 1 ? [] : kept
    const isFree = (name: string): boolean => !taken.has(name) && !reserved.includes(name)
    // Those that stay come first: a name with a number behind it must not take that of another of the same link.
    const staying = new Set(names.filter(isFree))
    for (const name of staying) taken.add(name)
    return new Map(
      names.map((name) => {
        if (staying.has(name)) return [name, name]
        const outer = free(name, 2)
        taken.add(outer)
        return [name, outer]
      }),
    )
  })
}

/** What a chain calls a number of the link `i`: the rate of the optimizer at the end keeps its name, which events read. */
function numberName(name: string, i: number, last: number): string {
  return name === 'learningRate' && i === last ? name : `${i}:${name}`
}

function numbersIn(hyper: Hyper, i: number, last: number): Hyper {
  const prefix = `${i}:`
  const own: Hyper = {}
  for (const key in hyper) if (key.startsWith(prefix)) own[key.slice(prefix.length)] = hyper[key]!
  if (i === last && hyper.learningRate !== undefined) own.learningRate = hyper.learningRate
  return own
}

/** A chain's control as each link is told it; made anew where it has changed. */
export function controlsOf(
  name: string,
  links: readonly ReadonlyMap<string, string>[],
): (control: Control | undefined) => readonly (Control | undefined)[] {
  let known: Control | undefined
  let made: readonly (Control | undefined)[] = links.map(() => undefined)
  return (control) => {
    if (control === undefined) return links.map(() => undefined)
    if (control === known) return made
    const { rateScale, overrides } = control
    const names = links.flatMap((own) => [...own.values()])
    for (const key in overrides) if (!names.includes(key)) failUnknown(name, key, names)
    made = links.map((own) => {
      const entries = [...own].filter(([, outer]) => Object.hasOwn(overrides, outer))
      return {
        rateScale,
        overrides: Object.fromEntries(entries.map(([key, outer]) => [key, overrides[outer]!])),
      }
    })
    known = control
    return made
  }
}

/** One of two trees, by a scalar; the first where there is none. */
function chosen<P>(condition: Tensor | null, then: P, otherwise: P): P {
  if (condition === null) return then
  // Every tensor of a P is replaced by a tensor: still a P.
  return zipTensors([then, otherwise], (a, b) => where(condition, a, b)) as P
}
