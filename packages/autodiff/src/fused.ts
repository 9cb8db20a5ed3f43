import { apply } from './apply.ts'
import { partOperation } from './compile/part.ts'
import { referenceValues } from './evaluate-reference.ts'
import type { NumericKernels } from './numerics.ts'
import { defineOperation, type Operation, type Shaped, type Values } from './operation.ts'
import { add } from './ops/add.ts'
import { type Shape, sizeOf } from './shape.ts'
import { type Tensor, tensor } from './tensor.ts'
import { vjp } from './transforms/vjp.ts'
import { inScope } from './tree.ts'

/** What a fused backward pass is asked for: which results have a cotangent, and which inputs want theirs. */
export interface Pass<A> {
  readonly of: A
  readonly given: readonly boolean[]
  readonly wanted: readonly boolean[]
}

/** A fused backward pass: one kernel gives the cotangents of all inputs. */
export interface FusedBackward<A> {
  /** It reads what came out of the forward pass, which is kept for it. */
  readonly readsOutput?: boolean
  /** As `Operation.scratch`, from the inputs of the forward pass. */
  scratch?(inputs: readonly Shaped[], pass: Pass<A>): number
  /**
   * @param into where the cotangent of each input goes, in bytes; 0 where it is not wanted
   * @param cotangents of the results; undefined where nothing depends on one
   * @param inputs those of the forward pass, and behind them its output where it `readsOutput`
   * @param kernels those of another numeric mode than strict, if it runs in one
   */
  kernel(
    into: readonly number[],
    cotangents: readonly (Tensor | undefined)[],
    inputs: readonly Tensor[],
    attributes: A,
    scratch: number,
    kernels?: Products,
  ): void
}

/** What multiplies matrices. */
type Products = Pick<NumericKernels, 'matmul'>

/** What a fused operation is declared by. */
export interface Fused<A> {
  readonly name: string
  readonly doc: string
  /** The shapes of its results. They lie one behind the other in its output where there are several. */
  shapes(inputs: readonly Shaped[], attributes: A): readonly Shape[]
  /** What it computes, written with operations: by this its values and all its derivatives are defined. */
  composition(inputs: readonly Tensor[], attributes: A): readonly Tensor[]
  scratch?(inputs: readonly Shaped[], attributes: A): number
  /** @param kernels as for the backward pass */
  kernel(output: Tensor, inputs: readonly Tensor[], attributes: A, scratch: number, kernels?: Products): void
  /** Which inputs have gradients. */
  isDifferentiable(index: number): boolean
  readonly backward: FusedBackward<A>
}

/** A fused operation, and its backward pass, which is one too. */
export interface FusedOperation<A> extends Operation<A> {
  /** As it was declared: the results, written with operations. */
  composition(inputs: readonly Tensor[], attributes: A): readonly Tensor[]
  readonly backward: Operation<Pass<A>>
}

type Maybe = Tensor | undefined

/**
 * Declares an operation with kernels of its own, forward and backward, that is defined by its composition of others: references
 * and second derivatives are those of the composition, recorded on the fly.
 */
export function defineFused<A>(fused: Fused<A>): FusedOperation<A> {
  const { name, doc, isDifferentiable } = fused
  const composition: Fused<A>['composition'] = (inputs, attributes) => fused.composition(inputs, attributes)
  const backward = backwardOf(fused)
  const operation: Operation<A> = defineOperation<A, readonly Tensor[]>({
    name,
    doc,
    shape: (inputs, attributes) => packed(fused.shapes(inputs, attributes)),
    reference: (inputs, attributes) => referenceOf((x) => composition(x, attributes), inputs),
    ...(fused.scratch === undefined ? {} : { scratch: fused.scratch }),
    kernel: (output, inputs, attributes, scratch) => fused.kernel(output, inputs, attributes, scratch),
    kernelIn:
      ({ kernels }) =>
      (output, inputs, attributes, scratch) =>
        fused.kernel(output, inputs, attributes, scratch, kernels),
    vjp: [],
    pull: (cotangents, output, inputs, attributes, wanted, before) => {
      const results = fused.shapes(inputs, attributes).length
      const given = Array.from({ length: results }, (_, i) => cotangents[i] !== undefined)
      const gets = wanted.map((isWanted, i) => isWanted && isDifferentiable(i))
      const pass: Pass<A> = { of: attributes, given, wanted: gets }
      if (!gets.includes(true)) return before.map((x) => x ?? null)
      const kept = fused.backward.readsOutput ? [output] : []
      const found = apply(backward, [...cotangents.filter((x) => x !== undefined), ...inputs, ...kept], pass)
      return added(before, partsOf(found, inputs, gets))
    },
  })
  return { ...operation, composition, backward }
}

function backwardOf<A>(fused: Fused<A>): Operation<Pass<A>> {
  const name = `${fused.name}Gradient`
  return defineOperation<Pass<A>, readonly Tensor[]>({
    name,
    doc: `the cotangents of the inputs of ${fused.name}`,
    shape: (all, pass) =>
      packed(
        afterCotangents(all, pass)
          .filter((_, i) => pass.wanted[i])
          .map((x) => x.shape),
      ),
    reference: (all, pass) => referenceOf((x) => pulledBack(fused, x, pass), all),
    ...(fused.backward.scratch === undefined
      ? {}
      : { scratch: (all, pass) => fused.backward.scratch!(afterCotangents(all, pass), pass) }),
    kernel: (output, all, pass, scratch) => pullInto(output, all, pass, scratch, fused),
    kernelIn:
      ({ kernels }) =>
      (output, all, pass, scratch) =>
        pullInto(output, all, pass, scratch, fused, kernels),
    vjp: [],
    pull: (cotangents, _, all, pass, wanted, before) => {
      const inputs = afterCotangents(all, pass).filter((_, i) => pass.wanted[i])
      const used = inputs.flatMap((_, i) => (cotangents[i] === undefined ? [] : [i]))
      const count = cotangentsOf(pass)
      // What has no gradient, such as labels, stays outside of the tape; so does the output, which the composition makes anew.
      const gets = wanted.map(
        (isWanted, i) =>
          isWanted && (i < count || (i - count < pass.wanted.length && fused.isDifferentiable(i - count))),
      )
      const free = all.filter((_, i) => gets[i])
      if (free.length === 0) return before.map((x) => x ?? null)
      const f = (x: readonly Tensor[]): readonly Tensor[] => {
        let next = 0
        const pulled = pulledBack(
          fused,
          all.map((fixed, i) => (gets[i] ? x[next++]! : fixed)),
          pass,
        )
        return used.map((i) => pulled[i]!)
      }
      const { gradients } = vjp<readonly Tensor[], readonly Tensor[]>(
        f,
        free,
        used.map((i) => cotangents[i]!),
      )
      let next = 0
      return added(
        before,
        gets.map((isWanted) => (isWanted ? gradients[next++] : undefined)),
      )
    },
  })
}

/** Runs the fused backward pass: the cotangents of the wanted inputs go into `output`, one behind the other. */
function pullInto<A>(
  output: Tensor,
  all: readonly Tensor[],
  pass: Pass<A>,
  scratch: number,
  { backward }: Fused<A>,
  kernels?: Products,
): void {
  let at = output.offset
  let next = 0
  const inputs = afterCotangents(all, pass)
  const into = pass.wanted.map((isWanted, i) => {
    if (!isWanted) return 0
    const own = at
    at += inputs[i]!.size * 4
    return own
  })
  const cotangents = pass.given.map((isGiven) => (isGiven ? all[next++] : undefined))
  backward.kernel(into, cotangents, inputs, pass.of, scratch, kernels)
}

/** The cotangents of the wanted inputs, by the composition. */
function pulledBack<A>(fused: Fused<A>, all: readonly Tensor[], pass: Pass<A>): readonly Tensor[] {
  const { of, given, wanted } = pass
  const count = cotangentsOf(pass)
  const inputs = all.slice(count, count + wanted.length)
  const f = (x: readonly Tensor[]): readonly Tensor[] => {
    let next = 0
    const results = fused.composition(
      inputs.map((fixed, i) => (wanted[i] ? x[next++]! : fixed)),
      of,
    )
    return results.filter((_, i) => given[i])
  }
  const free = inputs.filter((_, i) => wanted[i])
  return vjp<readonly Tensor[], readonly Tensor[]>(f, free, all.slice(0, count)).gradients
}

function cotangentsOf<A>({ given }: Pass<A>): number {
  return given.filter(Boolean).length
}

function afterCotangents<X, A>(all: readonly X[], pass: Pass<A>): readonly X[] {
  return all.slice(cotangentsOf(pass))
}

// One result is the output itself.
function packed(shapes: readonly Shape[]): Shape {
  return shapes.length === 1 ? shapes[0]! : [shapes.reduce((sum, shape) => sum + sizeOf(shape), 0)]
}

/** The results that lie in a packed output: views of it. */
export function unpacked(output: Tensor, shapes: readonly Shape[]): readonly Tensor[] {
  if (shapes.length === 1) return [output]
  let first = 0
  return shapes.map((shape, index) => {
    const part = apply(partOperation, [output], { index, first, shape })
    first += part.size
    return part
  })
}

function partsOf(output: Tensor, inputs: readonly Tensor[], wanted: readonly boolean[]): readonly Maybe[] {
  const parts = unpacked(
    output,
    inputs.filter((_, i) => wanted[i]).map((x) => x.shape),
  )
  let next = 0
  return wanted.map((isWanted) => (isWanted ? parts[next++] : undefined))
}

/** The cotangents that inputs have had before, with those that were found. */
export function added(before: readonly Maybe[], found: readonly Maybe[]): readonly (Tensor | null)[] {
  return found.map((x, i) => {
    const sum = before[i]
    return x === undefined || sum === undefined ? (x ?? sum ?? null) : add(sum, x)
  })
}

function referenceOf(
  f: (inputs: readonly Tensor[]) => readonly Tensor[],
  at: readonly Values[],
): ArrayLike<number> {
  return inScope(() => {
    const nearest = at.map(({ shape, values }) => tensor(Float32Array.from(values), shape))
    const results = referenceValues(f, nearest, at)
    return results.length === 1 ? results[0]!.values : results.flatMap(({ values }) => Array.from(values))
  })
}
