import { failRange, failType, kindOf } from './fail.ts'
import { type Shape, showShape } from './shape.ts'

/** A label of an axis: a letter, or `.1`, `.2`, … for the axes under an ellipsis, counted from the last one. */
export type Label = string

/** An equation of `einsum` on operands of known shapes: a label for each axis. */
export interface Equation {
  readonly inputs: readonly (readonly Label[])[]
  readonly output: readonly Label[]
}

const ellipsis = '...'

/** Reads an equation: `ij,jk->ik`, letters for axes, `...` for any others; without `->` the output is worked out. */
export function parseEquation(equation: string, shapes: readonly Shape[]): Equation {
  if (typeof equation !== 'string')
    failType('einsum', `the equation must be a string, got ${kindOf(equation)}`, "write 'ij,jk->ik'")
  const text = equation.replaceAll(' ', '')
  const stranger = /[^A-Za-z.,\->]/.exec(text.replaceAll('->', ''))
  const [left = '', right, ...more] = text.split('->')
  if (stranger !== null) {
    refuse(equation, `has an unknown character '${stranger[0]}'`, "use letters, ',', '...' and '->'")
  }
  if (more.length > 0) refuse(equation, "has more than one '->'", 'write one output')
  if (/[->]/.test(left + (right ?? ''))) refuse(equation, "has a stray '-' or '>'", "write '->'")
  const terms = left.split(',')
  if (terms.length !== shapes.length) {
    refuse(equation, `names ${terms.length} operands, got ${shapes.length}`, 'separate operands by a comma')
  }
  const inputs = terms.map((term, i) => labelsOf(equation, term, shapes[i]!))
  checkSizes(equation, inputs, shapes)
  const covered = Math.max(...inputs.map((labels) => labels.filter(isCovered).length))
  return { inputs, output: outputOf(equation, right, inputs, covered) }
}

const isCovered = (label: Label): boolean => label.startsWith('.')

function refuse(equation: string, problem: string, remedy: string): never {
  failRange('einsum', `'${equation}' ${problem}`, remedy)
}

/** The axes that an ellipsis stands for, the last one last. */
const coveredLabels = (count: number): Label[] => Array.from({ length: count }, (_, i) => `.${count - i}`)

/** A term split at its ellipsis: one part where there is none. */
function split(equation: string, term: string): string[] {
  const parts = term.split(ellipsis)
  if (parts.length > 2 || parts.some((part) => part.includes('.'))) {
    refuse(
      equation,
      `has dots that are no ellipsis in '${term}'`,
      "write '...' at most once for each operand",
    )
  }
  return parts
}

function labelsOf(equation: string, term: string, shape: Shape): Label[] {
  const [first = '', last] = split(equation, term)
  const named = first.length + (last?.length ?? 0)
  if (last === undefined ? named !== shape.length : named > shape.length) {
    refuse(
      equation,
      `names ${last === undefined ? '' : 'at least '}${named} axes in '${term}', got ${showShape(shape)}`,
      "write a letter for each axis, or '...' for the rest",
    )
  }
  return [...first, ...coveredLabels(shape.length - named), ...(last ?? '')]
}

// Sizes of one label must be equal, or 1 in another operand: that broadcasts.
function checkSizes(equation: string, inputs: readonly (readonly Label[])[], shapes: readonly Shape[]): void {
  const sizes = new Map<Label, number>()
  for (const [i, labels] of inputs.entries()) {
    const own = new Map<Label, number>()
    for (const [axis, label] of labels.entries()) {
      const size = shapes[i]![axis]!
      const known = sizes.get(label) ?? 1
      const before = own.get(label) ?? size
      if (before !== size || (known !== size && known !== 1 && size !== 1)) {
        const what = isCovered(label) ? "axes under '...'" : `axes '${label}'`
        refuse(
          equation,
          `has ${what} of sizes ${before === size ? known : before} and ${size}, got ${shapes.map(showShape).join(' and ')}`,
          'sizes of one label must be equal, or 1 in one operand',
        )
      }
      own.set(label, size)
    }
    for (const [label, size] of own) if (size !== 1 || !sizes.has(label)) sizes.set(label, size)
  }
}

function outputOf(
  equation: string,
  term: string | undefined,
  inputs: readonly (readonly Label[])[],
  covered: number,
): Label[] {
  const all = inputs.flat()
  if (term === undefined) {
    const once = all.filter((label) => !isCovered(label) && all.indexOf(label) === all.lastIndexOf(label))
    return [...coveredLabels(covered), ...once.sort()]
  }
  if (term.includes(',')) refuse(equation, "has a ',' in its output", 'write one output')
  const [first = '', last] = split(equation, term)
  const named = [...first, ...(last ?? '')]
  for (const label of named) {
    if (!all.includes(label)) {
      refuse(
        equation,
        `has '${label}' in its output only`,
        'every label of the output must be one of an operand',
      )
    }
    if (named.indexOf(label) !== named.lastIndexOf(label)) {
      refuse(equation, `has '${label}' twice in its output`, 'use diagEmbed to write on a diagonal')
    }
  }
  if (last === undefined && covered > 0) {
    refuse(
      equation,
      "has axes under '...' that its output leaves out",
      "write '...' in the output, and sum after",
    )
  }
  return last === undefined ? named : [...first, ...coveredLabels(covered), ...last]
}
