import { apply } from '../apply.ts'
import { failRange } from '../fail.ts'
import { child, type Key, type Words } from '../key.ts'
import type { Operation } from '../operation.ts'
import { type DrawAttributes, drawOn } from '../random.ts'
import type { Scope } from '../scopes.ts'
import { type Shape, sameShape, showShape } from '../shape.ts'
import { slotOn, Tape } from '../tape.ts'
import type { Tensor } from '../tensor.ts'
import { TracedKey } from '../traced-key.ts'
import { isPlain } from '../tree.ts'
import { Builder } from './build.ts'
import type { Graph } from './graph.ts'
import type { HostValues } from './host.ts'
import { mayFail } from './order.ts'
import { type Plan, plan } from './plan.ts'
import { Replay } from './replay.ts'
import type { Leaf } from './signature.ts'

/** What one step of a scan makes: the next carry, and what is stacked. */
export interface StepResult {
  readonly carry: readonly Tensor[]
  readonly ys: readonly Tensor[]
}

/** One step of a scan, on flat lists. `xs` are rows without the leading axis. */
export type Step = (carry: readonly Tensor[], xs: readonly Tensor[], keys: readonly Key[]) => StepResult

/**
 * The body of a scan, recorded once on shapes. What it uses beside its arguments are `captured`: inputs of the scan, so that
 * gradients reach them.
 */
export class ScanBody {
  readonly carry: readonly Tensor[]
  readonly xs: readonly Tensor[]
  readonly captured: readonly Tensor[]
  readonly result: StepResult
  readonly mayFail: boolean
  readonly graph: Graph
  private readonly tape: Tape
  private readonly keys: readonly TracedKey[]
  private readonly host: HostValues
  private readonly leaves: readonly Leaf[]
  private ready: { readonly plan: Plan; readonly replay: Replay } | undefined

  /**
   * Records `step` on a tape of `scope`, which must stay open until the scan has been applied.
   *
   * @param carry tensors of the shapes that it is to take
   * @param rows shapes of the rows that it is to take
   * @param keys how many keys it is to take
   */
  constructor(scope: Scope, step: Step, carry: readonly Tensor[], rows: readonly Shape[], keys: number) {
    const tape = new Tape(scope, true)
    this.tape = tape
    this.carry = carry.map(({ shape }) => tape.abstractInput(shape))
    this.xs = rows.map((shape) => tape.abstractInput(shape))
    const inputs = [...this.carry, ...this.xs]
    this.keys = Array.from({ length: keys }, (_, i) => TracedKey.input(tape, inputs.length + i))
    try {
      this.result = step(this.carry, this.xs, this.keys)
    } finally {
      tape.open = false
    }
    for (const [i, next] of this.result.carry.entries()) {
      const { shape } = this.carry[i]!
      if (sameShape(next.shape, shape)) continue
      failRange(
        'scan',
        `the carry must keep its shapes, got ${showShape(next.shape)} for ${showShape(shape)}`,
        'return a carry like the one that came in',
      )
    }
    const captured: Tensor[] = []
    const leaves: Leaf[] = inputs.map(({ shape }) => leafOf('tensor', shape))
    for (let i = 0; i < keys; i++) leaves.push(leafOf('key', []))
    const builder = new Builder(
      tape,
      leaves,
      [...inputs, ...this.keys],
      (x) => {
        captured.push(x)
        return { kind: 'input', leaf: leaves.push(leafOf('tensor', x.shape)) - 1 }
      },
      false,
    )
    builder.build('scan', [...this.result.carry, ...this.result.ys])
    this.captured = captured
    this.graph = builder.graph()
    this.host = builder.host
    this.leaves = leaves
    this.mayFail = this.graph.lines.some(mayFail)
  }

  /** The body with memory, each result in memory of its own. */
  prepared(): { readonly plan: Plan; readonly replay: Replay } {
    if (this.ready === undefined) {
      const planned = plan(this.graph, {
        leaves: this.leaves,
        isDonated: () => false,
        isWanted: () => true,
        outputs: 'own',
      })
      this.ready = { plan: planned, replay: new Replay(planned, this.graph.inputs) }
    }
    return this.ready
  }

  /** Where the first captured tensor stands among the inputs of the recorded body. */
  get firstCaptured(): number {
    return this.carry.length + this.xs.length + this.keys.length
  }

  /** Brings what is drawn from keys up to date. */
  resolve(keys: readonly Readonly<Words>[]): void {
    if (keys.length > 0) this.host.resolve([...this.carry, ...this.xs, ...keys])
  }

  /** Which stacked result is the same value as which part of the next carry. */
  get paired(): readonly { readonly y: number; readonly carry: number }[] {
    const { carry, ys } = this.result
    const slots = carry.map((x) => slotOn(x, this.tape))
    return ys.flatMap((y, i) => {
      const slot = slotOn(y, this.tape)
      const place = slot < 0 ? -1 : slots.indexOf(slot)
      return place < 0 ? [] : [{ y: i, carry: place }]
    })
  }

  /** Applies what was recorded to other operands: operation by operation, on whatever tapes they are. */
  again(
    carry: readonly Tensor[],
    xs: readonly Tensor[],
    keys: readonly Key[],
    captured: readonly Tensor[],
  ): StepResult {
    const values: Tensor[] = [...carry, ...xs]
    const others = new Map(this.captured.map((x, i) => [x, captured[i]!]))
    const known = (x: Tensor): Tensor => {
      const slot = slotOn(x, this.tape)
      return slot >= 0 ? values[slot]! : others.get(x)!
    }
    const rekeyed = new Map<Key, Key>(this.keys.map((key, i) => [key, keys[i]!]))
    for (const [slot, entry] of this.tape.entries.entries()) {
      if (entry === null) continue
      const { operation, inputs, attributes } = entry
      values[slot] = applyAgain(operation, inputs.map(known), attributes, (key) =>
        rekey(key, rekeyed, this.tape),
      )
    }
    const { carry: next, ys } = this.result
    return { carry: next.map(known), ys: ys.map(known) }
  }
}

function leafOf(kind: Leaf['kind'], shape: readonly number[]): Leaf {
  return { kind, shape, argument: 0, path: '' }
}

/** Applies an operation with keys in the place of those that it was recorded with. */
function applyAgain(
  operation: Operation,
  inputs: readonly Tensor[],
  attributes: unknown,
  rekeyed: (key: Key) => Key,
): Tensor {
  if (!isPlain(attributes) || !Array.isArray(attributes.keys)) return apply(operation, inputs, attributes)
  const keys = attributes.keys.map(rekeyed)
  const again = { ...attributes, keys }
  if (inputs.length > 0) return apply(operation, inputs, again)
  const tape = keys.find((key) => key instanceof TracedKey)?.tape ?? null
  // Operations without inputs that take keys are draws.
  return drawOn(tape, operation as Operation<DrawAttributes, []>, again as unknown as DrawAttributes)
}

function rekey(key: Key, rekeyed: Map<Key, Key>, tape: Tape): Key {
  const known = rekeyed.get(key)
  if (known !== undefined || !(key instanceof TracedKey) || key.tape !== tape) return known ?? key
  const { source } = key
  if (source.kind === 'input' || typeof source.count !== 'number') return key
  const made = child('foldIn', rekey(source.parent, rekeyed, tape), source.count, source.use)
  rekeyed.set(key, made)
  return made
}
