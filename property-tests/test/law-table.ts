import { type OperationInfo, operations } from '@tapeflow/autodiff/testing'
import { drawFrom } from '../src/arbitraries/draws.ts'

/** Whether any input of an operation has a gradient. */
export function isDifferentiable({ operation: { vjp, pull } }: OperationInfo): boolean {
  return pull !== undefined || typeof vjp === 'function' || vjp.some((rule) => rule !== null)
}

// Rules for all inputs at once give none for what is chosen by: integers.
function hasInputWithout(info: OperationInfo): boolean {
  const { vjp } = info.operation
  const isNone = typeof vjp !== 'function' && vjp.some((rule) => rule === null)
  return isNone || info.domains.some(({ integer = false }) => integer)
}

/** Whether any of its samples is given as a composition too. */
function isFused(info: OperationInfo): boolean {
  return Array.from({ length: 30 }, (_, seed) => {
    const numbers = Array.from({ length: 24 }, (_, i) => (seed * 7919 + i * 104729) % 27720)
    return info.sample(drawFrom(numbers)).composition
  }).some((composition) => composition !== undefined)
}

const always = (): boolean => true

/** For each column of the law matrix, by name: where it says anything. On other rows it holds of nothing. */
export const lawTable: Readonly<Record<string, (info: OperationInfo) => boolean>> = {
  'shape and reference agree': always,
  'kernel equals the float64 reference': always,
  'kernel equals the reference at every tail of four lanes': always,
  'vjp equals finite differences': isDifferentiable,
  'vjp is the adjoint of the derivative, in the shape of the input': isDifferentiable,
  'jvp agrees with vjp, and equals finite differences along a direction': isDifferentiable,
  'hvp equals finite differences of the gradient along a direction': isDifferentiable,
  'a rule of its own, made of its vjp, changes no derivative': isDifferentiable,
  'second derivatives equal finite differences': isDifferentiable,
  'vjp is linear in the cotangent': isDifferentiable,
  'inputs without a vjp get zeros': hasInputWithout,
  'special values come out as the reference rounds them': always,
  'NaN and infinities anywhere go where the reference sends them': always,
  'evalShape gives the shapes of values and gradients, and takes no memory': always,
  'errors are raised to the letter and leave nothing': always,
  'disposed inputs are refused': always,
  'same inputs give the same bits anywhere in memory': always,
  'compiled gives the same bits, in donated memory too': always,
  'vmap gives the values and gradients of the loop': always,
  'vmap without rules gives the values and gradients of the loop': always,
  'kernels allocate nothing, and keep to their output and scratch': ({ operation }) =>
    operation.kernel !== undefined,
  'a fused operation is its composition, in value and two derivatives': isFused,
  'in place gives the same bits': ({ operation }) => operation.inPlace === true,
  'values and gradients stay right without the kernel': ({ operation }) => operation.kernel !== undefined,
  'inputs keep their bits and nothing leaks': always,
}

/** The page of docs/ that says for each operation which laws hold. */
export function lawPage(): string {
  const laws = Object.entries(lawTable)
  const rows = [...operations]
    .sort((a, b) => (a.operation.name < b.operation.name ? -1 : 1))
    .map(
      (info) =>
        `| \`${info.operation.name}\` | ${laws.map(([, says]) => (says(info) ? '✓' : '')).join(' | ')} |`,
    )
  const differentiable = operations.filter(isDifferentiable).length
  const counts = laws.map(([law, says], i) => `${i + 1}. ${law}: ${operations.filter(says).length}`)
  return `# Laws

Which laws hold for which operation (\`npm run generate\` renews this page). Every mark is a test of \`npm test\`, in Node and in Chromium:
\`property-tests/test/columns.ts\` has the laws, the operations' records the samples. Where there is no mark the law says nothing: what has no
gradient has no second one. Of the ${operations.length} operations ${differentiable} are differentiable; all of them are so twice, and tested to be.

The laws, and for how many operations each holds:

${counts.join('\n')}

| operation | ${laws.map((_, i) => i + 1).join(' | ')} |
| --- |${' :-: |'.repeat(laws.length)}
${rows.join('\n')}
`
}
