import { type Node, node, type Op } from './lanes.ts'

// How often a step is done.
export const once = 0
export const perRow = 1
export const perElement = 2

/** A node that is computed: nodes that compute the same are one step, casts are none. */
export interface Step {
  readonly node: Node
  readonly inputs: readonly Step[]
  readonly when: number
  readonly id: number
  uses: number
  /** It is a result. */
  isRoot: boolean
  /** The variable that keeps the value, or 0. */
  local: number
}

/** Tells 0 from -0, and is a shorter text than a decimal fraction. */
const encodingOf = (x: number): number => new Int32Array(Float32Array.of(x).buffer)[0]!

// Where nothing is contracted, what a b + c is made of.
const parts: { readonly [op in Op]?: readonly [product: Op, sum: Op] } = {
  mulAdd: ['mul', 'add'],
  doublesMulAdd: ['doublesMul', 'doublesAdd'],
}

function rounded(given: Node): Node {
  const two = parts[given.op]
  if (two === undefined) return given
  const [a, b, c] = given.inputs as [Node, Node, Node]
  return node(given.kind, two[1], [node(given.kind, two[0], [a, b]), c])
}

/**
 * The steps that compute `roots`, each after its inputs, and those of the roots.
 *
 * @param pattern of the inputs, as `emitLoop` takes it
 * @param contracts whether a b + c is one step
 */
export function schedule(
  roots: readonly Node[],
  pattern: string,
  contracts: boolean,
): { steps: Step[]; results: Step[] } {
  const steps: Step[] = []
  const ofNode = new Map<Node, Step>()
  const ofText = new Map<string, Step>()
  const visit = (given: Node): Step => {
    let step = ofNode.get(given)
    if (step !== undefined) return step
    const own = contracts ? given : rounded(given)
    const inputs: Step[] = []
    let when = once
    if (own.op === 'input') when = pattern[own.value] === 'v' ? perElement : perRow
    let text = `${own.op} ${own.op === 'constant' ? encodingOf(own.value) : own.value}`
    for (const n of own.inputs) {
      const s = visit(n)
      inputs.push(s)
      text += ` ${s.id}`
      if (s.when > when) when = s.when
    }
    step = own.op === 'cast' ? inputs[0] : ofText.get(text)
    if (step === undefined) {
      step = { node: own, inputs, when, id: steps.length, uses: 0, isRoot: false, local: 0 }
      for (const s of inputs) s.uses++
      ofText.set(text, step)
      steps.push(step)
    }
    ofNode.set(given, step)
    return step
  }
  const results = roots.map((root) => {
    const step = visit(root)
    step.uses++
    step.isRoot = true
    return step
  })
  return { steps, results }
}

/** Gives a variable, counted from `first`, to each value that is used again or later; returns the next free one. */
export function keep(steps: readonly Step[], severalRoots: boolean, first: number): number {
  const late = new Set<Step>()
  for (const step of steps) for (const s of step.inputs) if (s.when < step.when) late.add(s)
  let next = first
  for (const step of steps) {
    // Nothing is stored before all results are there: one may be written over what another is computed from.
    const stored = step.isRoot && (severalRoots || step.when < perElement)
    const lazy = step.node.op === 'selectRarely'
    if (step.uses > 1 || stored || lazy || late.has(step)) step.local = next++
  }
  return next
}
