import * as t from '@tapeflow/autodiff'
import {
  type AnyLayer,
  type Context,
  type Inner,
  type Inside,
  type Layer,
  nameOf,
  type ParamsOf,
  type StateOf,
} from '../layer.ts'
import { applyInner } from './apply-inner.ts'
import { checkLayer } from './check-layer.ts'

/** Layers side by side: in order, or by name. */
export type Branches = readonly AnyLayer[] | { readonly [name: string]: AnyLayer }

/** Parameters of layers side by side: under `layers` those in order, under their own names the others. */
export type BranchParams<B extends Branches> = B extends readonly AnyLayer[]
  ? { readonly layers: { readonly [K in keyof B]: ParamsOf<B[K]> } }
  : { readonly [K in keyof B]: ParamsOf<B[K]> }

/** Their state, likewise. */
export type BranchState<B extends Branches> = B extends readonly AnyLayer[]
  ? { readonly layers: { readonly [K in keyof B]: StateOf<B[K]> } }
  : { readonly [K in keyof B]: StateOf<B[K]> }

/** Parameters or state of layers side by side, of whatever types. */
export type Held = { readonly [name: string]: unknown }

/** Layers that are given the same input. */
export interface SideBySide {
  readonly layers: readonly AnyLayer[]
  readonly inputSize?: number
  /** Of each layer the shape that it gives. */
  init(
    key: t.Key,
    inputShape: t.Shape,
  ): { readonly params: Held; readonly state: Held; readonly outputShapes: readonly t.Shape[] }
  /** Of each layer what it gives. */
  apply(
    params: Held,
    state: Held,
    x: t.Tensor,
    ctx: Context,
  ): { readonly outputs: readonly t.Tensor[]; readonly state: Held }
  upTo(path: string, inside: Inside): Layer<Held, Held>['apply'] | undefined
}

/**
 * Gives all layers the same input.
 *
 * @throws RangeError without layers, and where two take different numbers of features: names both; TypeError when one is no layer
 */
export function sideBySide(operation: string, branches: Branches): SideBySide {
  const inners: readonly Inner<unknown, unknown>[] = isList(branches)
    ? branches.map((layer, index) => ({ layer, name: 'layers', index }))
    : Object.entries(branches).map(([name, layer]) => ({ layer, name }))
  checkInners(operation, inners)
  const { inputSize } = inners.find(({ layer }) => layer.inputSize !== undefined)?.layer ?? {}
  const inOrder = isList(branches)
  const held = (values: readonly unknown[]): Held =>
    inOrder ? { layers: values } : Object.fromEntries(inners.map(({ name }, i) => [name, values[i]]))
  const partOf = (tree: Held, { name }: Inner<unknown, unknown>, i: number): unknown =>
    inOrder ? (tree['layers'] as readonly unknown[])[i] : tree[name]
  return {
    layers: inners.map(({ layer }) => layer),
    ...(inputSize === undefined ? {} : { inputSize }),
    init: (key, inputShape) => {
      const made = inners.map(({ layer, name, index }) =>
        layer.init(t.foldIn(key, index ?? name), inputShape),
      )
      return {
        params: held(made.map(({ params }) => params)),
        state: held(made.map(({ state }) => state)),
        outputShapes: made.map(({ outputShape }) => outputShape),
      }
    },
    apply: (params, state, x, ctx) => {
      const before = inners.map((inner, i) => partOf(state, inner, i))
      const applied = inners.map((inner, i) => applyInner(inner, partOf(params, inner, i), before[i], x, ctx))
      const isSame = applied.every((one, i) => one.state === before[i])
      return {
        outputs: applied.map(({ y }) => y),
        state: isSame ? state : held(applied.map((one) => one.state)),
      }
    },
    upTo: (_path, inside) => {
      for (const inner of inners) {
        const found = inside<Held>(inner)
        if (found !== undefined) return found
      }
      return undefined
    },
  }
}

/** Whether layers stand side by side in order, not by name. */
export function isList(branches: Branches): branches is readonly AnyLayer[] {
  return Array.isArray(branches)
}

function checkInners(operation: string, inners: readonly Inner<unknown, unknown>[]): void {
  if (inners.length === 0)
    t.failRange(operation, 'at least one layer is needed, got 0', 'pass linear(…), relu(), …')
  for (const { layer, name, index } of inners) {
    checkLayer(operation, index === undefined ? `'${name}'` : `argument ${index}`, layer)
  }
  const sized = inners.filter(({ layer }) => layer.inputSize !== undefined)
  const [first] = sized
  for (const other of sized) {
    if (other.layer.inputSize === first!.layer.inputSize) continue
    t.failRange(
      operation,
      `${wordsFor(first!)} takes ${first!.layer.inputSize} features, ${wordsFor(other)} ${other.layer.inputSize}`,
      'make the two sizes equal: all are given the same input',
    )
  }
}

/** `layer 1 (linear 3 -> 2)`, `'mean' (linear 3 -> 2)`. */
function wordsFor({ layer, name, index }: Inner<unknown, unknown>): string {
  return `${index === undefined ? `'${name}'` : `layer ${index}`} (${nameOf(layer)})`
}

/**
 * Checks the outputs of layers side by side, that shapes agree but on an axis that may differ.
 *
 * @param free the axis, from the end, that may differ: -1 is the last; null where all must agree
 * @throws RangeError that names both layers
 */
export function checkOutputs(
  operation: string,
  layers: readonly AnyLayer[],
  shapes: readonly t.Shape[],
  free: -1 | null,
  place = '',
): void {
  const compared = (shape: t.Shape): t.Shape => (free === null ? shape : shape.slice(0, -1))
  const first = shapes[0]!
  for (const [i, shape] of shapes.entries()) {
    if (shape.length === first.length && t.sameShape(compared(shape), compared(first))) continue
    t.failRange(
      operation,
      `layer 0 (${nameOf(layers[0]!)})${place} gives ${t.showShape(first)}, layer ${i} (${nameOf(layers[i]!)}) ${t.showShape(shape)}`,
      free === null ? 'make the shapes equal' : 'make the shapes equal but for the last axis',
    )
  }
}
