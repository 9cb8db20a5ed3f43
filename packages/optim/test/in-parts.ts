import * as t from '@tapeflow/autodiff'
import type { Evaluate, Optimizer, Slots } from '@tapeflow/optim'

/** Whether the leaf at a path belongs to the generator: some leaves of every tree that the tests have, and not all of most. */
export const isGenerator = (path: string): boolean => /^(x|biases|scale|leaf1|\d*[02468]$)|bias$/.test(path)

/** Both trees have all that is no tensor, and null for the tensors of the other. */
interface Halves<P> {
  readonly generator: P
  readonly discriminator: P
}

/** A partition of generator and discriminator as an optimizer of any tree: what belongs to which goes by path. */
export function inParts(optimizer: Optimizer<string>): Optimizer<string> {
  const half = <P>(tree: P, wanted: boolean): P =>
    t.mapTree(tree, (leaf, path) => (t.isTensor(leaf) && isGenerator(path) !== wanted ? null : leaf)) as P
  const halves = <P>(tree: P): Halves<P> => ({
    generator: half(tree, true),
    discriminator: half(tree, false),
  })
  const whole = <P>(like: P, made: Halves<P | null>): P => {
    const found = new Map<string, t.Leaf>()
    for (const tree of [made.generator, made.discriminator])
      t.visitLeaves(tree, (leaf, path) => (t.isTensor(leaf) ? found.set(path, leaf) : null))
    return t.mapTree(like, (leaf, path) => (t.isTensor(leaf) ? (found.get(path) ?? null) : leaf)) as P
  }
  const slotsOf = <P>(like: P, made: Slots<string, Halves<P>>): Slots<string, P> =>
    Object.fromEntries(Object.entries(made).map(([name, tree]) => [name, whole(like, tree)]))
  return {
    ...optimizer,
    init: <P extends t.Tree>(params: P) =>
      params === null ? optimizer.init(params) : slotsOf<P>(params, optimizer.init(halves(params) as never)),
    update: <P extends t.Tree>(
      gradients: P,
      slots: Slots<string, P>,
      params: P,
      hyper: Parameters<Optimizer<string>['update']>[3],
      evaluate?: Evaluate<P>,
    ) => {
      const inner = Object.fromEntries(Object.entries(slots).map(([name, tree]) => [name, halves(tree)]))
      const look = (at: Halves<P>): { value: t.Tensor; gradients: Halves<P> } => {
        const { value, gradients } = evaluate!(whole(params, at))
        return { value, gradients: halves(gradients) }
      }
      const next = optimizer.update(
        halves(gradients) as never,
        inner as never,
        halves(params) as never,
        hyper,
        (evaluate && look) as never,
      ) as { params: Halves<P>; slots: Slots<string, Halves<P>> }
      return { params: whole(params, next.params), slots: slotsOf(params, next.slots) }
    },
  }
}
