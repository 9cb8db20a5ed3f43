import { failUnknown } from './hyper.ts'
import type { Control, Hyper, Optimizer } from './optimizer.ts'

type Named = readonly (readonly [part: string, optimizer: Optimizer<string>])[]

const rate = 'learningRate'

/** The hyperparameters of a partition: `learningRate` for every part, and `generator.beta1` for one. */
export function namesOfParts(parts: Named): readonly string[] {
  const names = parts.flatMap(([part, own]) => own.hyperparameters.map((name) => `${part}.${name}`))
  return parts.some(hasRate) ? [rate, ...names] : names
}

/** The `hyper` of a partition: the numbers of all parts under their names, and a rate to show. */
export function hyperOfParts(operation: string, parts: Named): Optimizer<string>['hyper'] {
  const controls = controlsOfParts(operation, parts)
  const shown = parts.find(hasRate)?.[0]
  return (step, control) => {
    const own = controls(control)
    const entries = parts.flatMap(([part, optimizer], i) =>
      Object.entries(optimizer.hyper(step, own[i])).map(([name, value]) => [`${part}.${name}`, value]),
    )
    const made = Object.fromEntries(entries) as Hyper
    const value = made[`${shown}.${rate}`]
    return value === undefined ? made : { [rate]: value, ...made }
  }
}

/** The numbers of one part, under their own names. */
export function hyperOfPart(part: string, hyper: Hyper): Hyper {
  const prefix = `${part}.`
  const own: Hyper = {}
  for (const name in hyper) if (name.startsWith(prefix)) own[name.slice(prefix.length)] = hyper[name]!
  return own
}

/** A partition's control as each part is told it; made anew where it has changed. */
function controlsOfParts(
  operation: string,
  parts: Named,
): (control: Control | undefined) => readonly (Control | undefined)[] {
  const known = namesOfParts(parts)
  let last: Control | undefined
  let made: readonly (Control | undefined)[] = parts.map(() => undefined)
  return (control) => {
    if (control === last) return made
    const { rateScale, overrides } = control ?? { rateScale: 1, overrides: {} }
    for (const name in overrides) if (!known.includes(name)) failUnknown(operation, name, known)
    const next = parts.map(([part, { hyperparameters }]) => {
      const found = hyperparameters.flatMap((name) => {
        const outer = [`${part}.${name}`, ...(name === rate ? [rate] : [])].find((key) =>
          Object.hasOwn(overrides, key),
        )
        return outer === undefined ? [] : [[name, overrides[outer]!] as const]
      })
      return { rateScale, overrides: Object.fromEntries(found) }
    })
    last = control
    made = next
    return made
  }
}

function hasRate([, { hyperparameters }]: Named[number]): boolean {
  return hyperparameters.includes(rate)
}
