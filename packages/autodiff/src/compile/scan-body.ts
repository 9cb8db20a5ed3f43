import { failRange } from '../fail.ts'
import type { Key } from '../key.ts'
import type { Numerics } from '../numerics.ts'
import { currentOrigin, originWithin, type Scope, setOrigin } from '../scopes.ts'
import { type Shape, sameShape, showShape } from '../shape.ts'
import { slotOn, Tape } from '../tape.ts'
import type { Tensor } from '../tensor.ts'
import { TracedKey } from '../traced-key.ts'
import { applyAgain, rekey } from './again.ts'
import { Builder } from './build.ts'
import type { Graph } from './graph.ts'
import type { HostValues } from './host.ts'
import { hasKeys } from './keyed.ts'
import { mayFail } from './order.ts'
import { type Plan, plan } from './plan.ts'
import { Replay } from './replay.ts'
import type { Leaf } from './signature.ts'

/** What one step of a scan makes: the next carry, and what is stacked. */
export interface StepResult {
  readonly carry: readonly Tensor[]
  readonly ys: readonly Tensor[]
}

/** What one step of a scan is given, on flat lists. */
export interface StepInputs {
  readonly carry: readonly Tensor[]
  /** Rows without the leading axis. */
  readonly xs: readonly Tensor[]
  readonly keys: readonly Key[]
  /** The same at every step. */
  readonly whole: readonly Tensor[]
}

export type Step = (given: StepInputs) => StepResult

/** A body that can be run. */
export interface Prepared {
  readonly replay: Replay
  /** Which of the plan's outputs each result is: those are numbered in the order in which they are computed. */
  readonly places: readonly number[]
}

/**
 * The body of a scan, recorded once on shapes. What it uses beside its arguments is captured: inputs of the scan, so that
 * gradients reach them.
 */
export class ScanBody {
  readonly carry: readonly Tensor[]
  readonly xs: readonly Tensor[]
  /** What is the same at every step: what the step is given whole, then the tensors that it took from around it. */
  readonly captured: readonly Tensor[]
  /** Keys of recordings around that it took, to be named after those that steps are given. */
  readonly capturedKeys: readonly Key[]
  /** How many keys a step is given. */
  readonly rowKeys: number
  readonly result: StepResult
  readonly mayFail: boolean
  readonly graph: Graph
  private readonly tape: Tape
  private readonly whole: readonly Tensor[]
  private readonly keys: readonly TracedKey[]
  private readonly host: HostValues
  private readonly leaves: readonly Leaf[]
  private planned: Plan | undefined
  private readonly ready = new Map<Numerics | null, Prepared>()

  /**
   * Records `step` on a tape of `scope`, which must stay open until the scan has been applied.
   *
   * @param carry tensors of the shapes that it is to take
   * @param rows shapes of the rows that it is to take
   * @param keys how many keys it is to take
   * @param whole tensors that it is to take as they are
   */
  constructor(
    scope: Scope,
    step: Step,
    carry: readonly Tensor[],
    rows: readonly Shape[],
    keys: number,
    whole: readonly Tensor[],
  ) {
    const tape = new Tape(scope, true)
    this.tape = tape
    this.carry = carry.map(({ shape }) => tape.abstractInput(shape))
    this.xs = rows.map((shape) => tape.abstractInput(shape))
    this.whole = whole.map(({ shape }) => tape.abstractInput(shape))
    const inputs = [...this.carry, ...this.xs, ...this.whole]
    const own = Array.from({ length: keys }, (_, i) => TracedKey.input(tape, inputs.length + i))
    this.rowKeys = keys
    try {
      this.result = step({ carry: this.carry, xs: this.xs, keys: own, whole: this.whole })
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
    const others = captureKeys(tape, inputs.length + keys)
    this.capturedKeys = [...others.keys()]
    this.keys = [...own, ...others.values()]
    const captured = [...whole]
    const leaves: Leaf[] = inputs.map(({ shape }) => leafOf('tensor', shape))
    for (const _ of this.keys) leaves.push(leafOf('key', []))
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

  /** The body with memory, each result in memory of its own: in every numeric mode the same. */
  get plan(): Plan {
    this.planned ??= plan(this.graph, {
      leaves: this.leaves,
      isDonated: () => false,
      isWanted: () => true,
      outputs: 'own',
      fuse: true,
    })
    return this.planned
  }

  /** The body ready to run in a numeric mode, null for strict. */
  prepared(numerics: Numerics | null): Prepared {
    let ready = this.ready.get(numerics)
    if (ready === undefined) {
      const places = this.plan.outputs.map((output) => this.plan.places.get(output!.value.root)!.index)
      ready = { replay: new Replay(this.plan, this.graph.inputs, numerics), places }
      this.ready.set(numerics, ready)
    }
    return ready
  }

  /** Its inputs in order, with `keys` where those stand: between what a step is given and what it took from around it. */
  leafValues<T>(tensors: readonly T[], keys: readonly T[]): T[] {
    const first = this.firstKey
    return [...tensors.slice(0, first), ...keys, ...tensors.slice(first)]
  }

  /** Where keys stand among its inputs. */
  get firstKey(): number {
    return this.carry.length + this.xs.length + this.whole.length
  }

  /** Brings what is drawn from keys up to date. */
  resolve(leaves: readonly unknown[]): void {
    this.host.resolve(leaves)
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

  /** Which parts of the carry are handed on as they came. */
  get passed(): readonly boolean[] {
    return this.carry.map((x, i) => slotOn(this.result.carry[i]!, this.tape) === x.slot)
  }

  /**
   * Applies what was recorded to other operands: operation by operation, on whatever tapes they are.
   *
   * @param keys those of the step, then what stands for those that it took from around it
   * @param captured what stands for `captured`
   */
  again(
    carry: readonly Tensor[],
    xs: readonly Tensor[],
    keys: readonly Key[],
    captured: readonly Tensor[],
  ): StepResult {
    const given = this.whole.length
    const values: Tensor[] = [...carry, ...xs, ...captured.slice(0, given)]
    const others = new Map(this.captured.slice(given).map((x, i) => [x, captured[given + i]!]))
    const known = (x: Tensor): Tensor => {
      const slot = slotOn(x, this.tape)
      return slot >= 0 ? values[slot]! : others.get(x)!
    }
    const rekeyed = new Map<Key, Key>(this.keys.map((key, i) => [key, keys[i]!]))
    const around = currentOrigin()
    try {
      for (const [slot, entry] of this.tape.entries.entries()) {
        if (entry === null) continue
        const { operation, inputs, attributes, origin } = entry
        setOrigin(originWithin(around, origin))
        values[slot] = applyAgain(operation, inputs.map(known), attributes, (key) =>
          rekey(key, rekeyed, this.tape),
        )
      }
    } finally {
      setOrigin(around)
    }
    const { carry: next, ys } = this.result
    return { carry: next.map(known), ys: ys.map(known) }
  }
}

// A key of a recording around this one has no words here: it becomes an input like those of the steps.
function captureKeys(tape: Tape, first: number): ReadonlyMap<Key, TracedKey> {
  const found = new Map<Key, TracedKey>()
  const captured = (key: Key): Key => {
    if (!(key instanceof TracedKey) || key.tape === tape) return key
    const known = found.get(key) ?? TracedKey.input(tape, first + found.size)
    found.set(key, known)
    return known
  }
  for (const [slot, entry] of tape.entries.entries()) {
    if (entry === null || !hasKeys(entry.attributes)) continue
    const keys = entry.attributes.keys.map(captured)
    tape.entries[slot] = { ...entry, attributes: { ...entry.attributes, keys } }
  }
  return found
}

function leafOf(kind: Leaf['kind'], shape: readonly number[]): Leaf {
  return { kind, shape, argument: 0, path: '' }
}
