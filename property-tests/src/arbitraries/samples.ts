import { type Snapshot, sizeOf } from '@tapeflow/autodiff'
import type { Domain, OperationInfo, Sample } from '@tapeflow/autodiff/testing'
import fc from 'fast-check'
import { draws } from './draws.ts'
import { tensors } from './tensors.ts'

/** A call of an operation: what `info.sample` drew, where its inputs lie, and their numbers. */
export interface OperationSample {
  readonly call: Sample['call']
  /** Of a fused operation: the same call as the composition of others. */
  readonly composition?: Sample['composition']
  readonly domains: readonly Domain[]
  readonly inputs: readonly Snapshot[]
  /** Other numbers for the same call, as many times as were asked for. */
  readonly others: readonly (readonly Snapshot[])[]
}

/** Where the numbers of samples lie. */
export interface SamplesOptions {
  /** Changes the domain of an input: to leave kinks in, or to widen it. */
  readonly within?: (domain: Domain, input: number) => Domain
  /** How many further sets of inputs are drawn for each call; none by default. */
  readonly others?: number
}

/**
 * Calls of an operation, with inputs drawn from the domains that its `info` names: what a test over all operations runs on.
 * They shrink to the smallest call.
 *
 * @param info the operation's entry in `operations` of '@tapeflow/autodiff/testing'
 * @param options.within changes the domain of an input
 * @param options.others how many further sets of inputs are drawn for each call; none by default
 * @example
 * const relu = operations.find(({ operation }) => operation.name === 'relu')
 * fc.assert(fc.property(samples(relu), ({ call, inputs }) => t.scope(() => {
 *   const [x] = t.fromSnapshot(inputs)
 *   return t.sameShape(call(x).shape, x.shape)
 * })))
 */
export function samples(info: OperationInfo, options: SamplesOptions = {}): fc.Arbitrary<OperationSample> {
  const { within = (domain) => domain, others = 0 } = options
  return draws(info.sample).chain(({ shapes, domains = info.domains, call, composition }) => {
    const own = shapes.map((_, i) => within(domains[Math.min(i, domains.length - 1)]!, i))
    const drawn = fc.tuple(...Array.from({ length: 1 + others }, () => inputsOf(shapes, own)))
    return drawn.map(([inputs, ...rest]) => ({
      call,
      composition,
      domains: own,
      inputs: inputs!,
      others: rest,
    }))
  })
}

/** Inputs that must be distinct are so from each other: they are cut out of one tensor. */
function inputsOf(shapes: Sample['shapes'], domains: readonly Domain[]): fc.Arbitrary<readonly Snapshot[]> {
  const first = domains[0]
  if (first?.distinct !== true || shapes.length === 1) {
    return fc.tuple(...shapes.map((shape, i) => tensors({ shape, domain: domains[i]! })))
  }
  const sizes = shapes.map(sizeOf)
  const total = sizes.reduce((sum, size) => sum + size, 0)
  return tensors({ shape: [total], domain: first }).map(({ values }) => {
    let end = 0
    return shapes.map((shape, i) => ({ shape, values: values.slice(end, (end += sizes[i]!)) }))
  })
}
