import { tensorOperand } from '../apply.ts'
import { type Label, parseEquation } from '../einsum-equation.ts'
import { failRange } from '../fail.ts'
import type { OperationInfo } from '../operation.ts'
import { sizeOf } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { inScope } from '../tree.ts'
import { diag } from './diag.ts'
import { matmul } from './matmul.ts'
import { mul } from './mul.ts'
import { reshape } from './reshape.ts'
import { sum } from './sum.ts'
import { transpose } from './transpose.ts'

/** A tensor with a label for each axis. */
interface Labelled {
  readonly x: Tensor
  readonly labels: readonly Label[]
}

/**
 * Sums of products over labelled axes, Einstein's convention, of one or two operands: `'ij,jk->ik'` is the matrix product,
 * `'ii->i'` the diagonal, `'...ij->...ji'` a transpose. A label in several places is one index; one that the output lacks
 * is summed over. Products run in `matmul`, and operands are moved in memory only where no transposed reading does.
 *
 * Without `->` the output has the axes under `...`, then the labels that occur once, in the order of ASCII. Axes of size 1
 * broadcast against the other operand's, under `...` those that are missing too. As in NumPy.
 *
 * @param equation a letter for each axis of each operand, operands separated by commas; spaces are passed over
 * @param operands one or two
 * @throws RangeError when the equation is malformed or does not fit the shapes; TypeError when it is no string
 * @example
 * t.einsum('ij,kj->ik', t.tensor([[1, 2]]), t.tensor([[3, 4], [5, 6]])).toArray() // => [[11, 17]]
 * t.einsum('ii', t.tensor([[1, 2], [3, 4]])).item() // => 5
 */
export function einsum(equation: string, ...operands: readonly Tensor[]): Tensor {
  for (const x of operands) tensorOperand('einsum', x)
  if (operands.length !== 1 && operands.length !== 2) {
    failRange('einsum', `one or two operands are needed, got ${operands.length}`, 'contract two at a time')
  }
  const { inputs, output } = parseEquation(
    equation,
    operands.map(({ shape }) => shape),
  )
  return inScope(() => {
    const [a, b] = operands.map((x, i) => onDiagonals({ x, labels: inputs[i]! }))
    return b === undefined ? inOrder(summed(a!, output), output).x : contract(a!, b, output)
  })
}

const sizeOfLabels = ({ x, labels }: Labelled, wanted: readonly Label[]): number[] =>
  wanted.map((label) => x.shape[labels.indexOf(label)]!)

const isSame = (a: readonly Label[], b: readonly Label[]): boolean =>
  a.length === b.length && a.every((label, i) => label === b[i])

/** Each label once: of axes with one label the diagonal is taken, and goes last. */
function onDiagonals({ x, labels }: Labelled): Labelled {
  const twice = labels.find((label, i) => labels.indexOf(label) !== i)
  if (twice === undefined) return { x, labels }
  const first = labels.indexOf(twice)
  const second = labels.indexOf(twice, first + 1)
  const rest = [...labels.keys()].filter((axis) => axis !== first && axis !== second)
  const diagonal = diag(transpose(x, [...rest, first, second]))
  return onDiagonals({ x: diagonal, labels: [...rest.map((axis) => labels[axis]!), twice] })
}

/** Sums over the labels that nothing needs. */
function summed({ x, labels }: Labelled, needed: readonly Label[]): Labelled {
  const axis = [...labels.keys()].filter((i) => !needed.includes(labels[i]!))
  if (axis.length === 0) return { x, labels }
  return { x: sum(x, { axis }), labels: labels.filter((label) => needed.includes(label)) }
}

function inOrder({ x, labels }: Labelled, wanted: readonly Label[]): Labelled {
  return {
    x: transpose(
      x,
      wanted.map((label) => labels.indexOf(label)),
    ),
    labels: wanted,
  }
}

/** Without the axes of size 1 that broadcast against the other operand's. */
function withoutStretched(own: Labelled, other: Labelled): Labelled {
  const { x, labels } = own
  const stays = (label: Label, axis: number): boolean => {
    const against = other.labels.indexOf(label)
    return x.shape[axis] !== 1 || against < 0 || other.x.shape[against] === 1
  }
  const kept = labels.filter(stays)
  return kept.length === labels.length ? own : { x: reshape(x, sizeOfLabels(own, kept)), labels: kept }
}

function contract(left: Labelled, right: Labelled, output: readonly Label[]): Tensor {
  const [narrow, wide] = [withoutStretched(left, right), withoutStretched(right, left)]
  const a = summed(narrow, [...output, ...wide.labels])
  const b = summed(wide, [...output, ...a.labels])
  if (a.labels.every((label) => !b.labels.includes(label) || output.includes(label))) {
    return mul(spread(a, output), spread(b, output))
  }
  // The operand whose own axes come first in the output is the left one, so that the product needs no transpose.
  const own = output.find((label) => a.labels.includes(label) !== b.labels.includes(label))
  return own !== undefined && b.labels.includes(own) ? product(b, a, output) : product(a, b, output)
}

/** The operand in the order of the output, with axes of size 1 where it has none. */
function spread(own: Labelled, output: readonly Label[]): Tensor {
  const { x, labels } = own
  const ordered = inOrder(
    own,
    output.filter((label) => labels.includes(label)),
  )
  return reshape(
    ordered.x,
    output.map((label) => (labels.includes(label) ? x.shape[labels.indexOf(label)]! : 1)),
  )
}

function product(a: Labelled, b: Labelled, output: readonly Label[]): Tensor {
  const isShared = (label: Label): boolean => a.labels.includes(label) && b.labels.includes(label)
  const batch = output.filter(isShared)
  const rows = output.filter((label) => a.labels.includes(label) && !isShared(label))
  const columns = output.filter((label) => b.labels.includes(label) && !isShared(label))
  // Labels that are summed over may stand in either operand's order: the one with which fewer elements are moved.
  const orders = [a, b].map(({ labels }) =>
    labels.filter((label) => isShared(label) && !output.includes(label)),
  )
  const moved = (inner: readonly Label[]): number =>
    (isMatrix(a, batch, rows, inner) ? 0 : a.x.size) + (isMatrix(b, batch, columns, inner) ? 0 : b.x.size)
  const inner = moved(orders[0]!) <= moved(orders[1]!) ? orders[0]! : orders[1]!
  const left = matrices(a, batch, rows, inner)
  const right = matrices(b, batch, columns, inner)
  const y = matmul(left.x, right.x, { transposeA: left.isTurned, transposeB: !right.isTurned })
  const labels = [...batch, ...rows, ...columns]
  const shape = [...sizeOfLabels(a, batch), ...sizeOfLabels(a, rows), ...sizeOfLabels(b, columns)]
  return inOrder({ x: reshape(y, shape), labels }, output).x
}

function isMatrix(
  { labels }: Labelled,
  batch: readonly Label[],
  outer: readonly Label[],
  inner: readonly Label[],
): boolean {
  return isSame(labels, [...batch, ...outer, ...inner]) || isSame(labels, [...batch, ...inner, ...outer])
}

/** The operand as a batch of matrices `[outer, inner]`, or turned `[inner, outer]` where it lies so. */
function matrices(
  own: Labelled,
  batch: readonly Label[],
  outer: readonly Label[],
  inner: readonly Label[],
): { x: Tensor; isTurned: boolean } {
  const isTurned = outer.length > 0 && isSame(own.labels, [...batch, ...inner, ...outer])
  const wanted = isTurned ? [...batch, ...inner, ...outer] : [...batch, ...outer, ...inner]
  const { x } = inOrder(own, wanted)
  const [rows, columns] = [outer, inner].map((labels) => sizeOf(sizeOfLabels(own, labels)))
  const leading = batch.length === 0 ? [] : [sizeOf(sizeOfLabels(own, batch))]
  return { x: reshape(x, isTurned ? [...leading, columns!, rows!] : [...leading, rows!, columns!]), isTurned }
}

/** Nothing of its own: a composition. */
export const info: readonly OperationInfo[] = []
