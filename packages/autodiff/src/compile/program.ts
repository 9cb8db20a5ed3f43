import { failRange } from '../fail.ts'
import { Key } from '../key.ts'
import { allocate, handOn, heapFloats, nextMark, release, retain, Storage, takeAgain } from '../memory.ts'
import type { Numerics } from '../numerics.ts'
import { currentScope, isOpen, move, own, type Scope } from '../scopes.ts'
import { failDisposed, isGone, Tensor } from '../tensor.ts'
import type { Value } from './graph.ts'
import { handedOutBy, type Plan, plan } from './plan.ts'
import { fill, hasHostLeaves, type Recording } from './record.ts'
import { Replay } from './replay.ts'
import type { Data, Leaf, Signature } from './signature.ts'

/** How the programs of a compiled function are run. */
export interface ProgramOptions {
  readonly donate: readonly number[]
  readonly reuse: boolean
  readonly fuse: boolean
  /** The numeric mode; null for strict. */
  readonly numerics: Numerics | null
}

/** A recording for arguments of one signature: planned, and run again and again. */
export class Program {
  readonly signatures: readonly Signature[]
  /** The traced inputs of the call that is being made. */
  readonly found: unknown[] = []
  readonly recording: Recording
  plan: Plan
  private readonly leaves: readonly Leaf[]
  readonly options: ProgramOptions
  private replay: Replay
  /** The traced inputs in whose memory results lie. */
  private handedOut: ReadonlySet<number>
  /** The program's own memory, for the time of a run. */
  private readonly arena: Storage = new Storage(0, 0)
  private readonly donated: readonly number[]
  private readonly borrowed: readonly number[]
  private readonly hasHostLeaves: boolean
  /** Where the memory of each traced tensor begins in this call. */
  private readonly bases: number[] = []
  /** Copies of inputs, where their own memory must stay as it is or is written over. */
  private readonly copies: (Storage | undefined)[] = []
  /** What outputs are written to: for this call, or, where results are used again, from call to call. */
  private readonly outputs: Storage[] = []
  /** Where results are used again: the last ones, and what they were made from. */
  private kept: (Tensor | null)[] = []
  private lastFound: unknown[] = []
  private lastResult: unknown

  constructor(
    signatures: readonly Signature[],
    leaves: readonly Leaf[],
    recording: Recording,
    options: ProgramOptions,
    isWanted: (path: string) => boolean,
  ) {
    this.signatures = signatures
    this.leaves = leaves
    this.recording = recording
    this.options = options
    const tensors = [...leaves.keys()].filter((leaf) => leaves[leaf]!.kind === 'tensor')
    this.donated = tensors.filter((leaf) => options.donate.includes(leaves[leaf]!.argument))
    this.borrowed = tensors.filter((leaf) => !options.donate.includes(leaves[leaf]!.argument))
    this.hasHostLeaves = hasHostLeaves(recording.template)
    this.plan = this.planned(isWanted)
    this.replay = new Replay(this.plan, recording.graph.inputs, options.numerics)
    this.handedOut = handedOutBy(this.plan)
  }

  /** Plans anew, for other outputs. */
  select(isWanted: (path: string) => boolean): void {
    const plan = this.planned(isWanted)
    this.dropOutputs()
    this.plan = plan
    this.replay = new Replay(plan, this.recording.graph.inputs, this.options.numerics)
    this.handedOut = handedOutBy(plan)
  }

  /** Gives back what the program holds in the heap. */
  dispose(): void {
    this.dropOutputs()
    for (const storage of this.recording.constants) release(storage)
  }

  /** Runs the program on what `found` has, and forgets that. */
  run(): unknown {
    const { arenaBytes } = this.plan
    let hasArena = false
    try {
      this.checkUsable()
      this.recording.host.resolve(this.found)
      if (arenaBytes > 0) takeAgain(this.arena, arenaBytes)
      hasArena = arenaBytes > 0
      this.replay.moveArena(hasArena ? this.arena.offset : 0)
      this.takeMemory()
      this.copyIn()
      this.replay.run()
      return this.options.reuse ? this.handAgain() : this.handOut()
    } finally {
      if (hasArena) release(this.arena)
      if (this.copies.length > 0) this.dropCopies()
      if (!this.options.reuse) this.dropOutputs()
      this.found.fill(undefined)
    }
  }

  private planned(isWanted: (path: string) => boolean): Plan {
    const { donate, reuse, fuse } = this.options
    return plan(this.recording.graph, {
      leaves: this.leaves,
      isDonated: ({ kind, argument }) => kind === 'tensor' && donate.includes(argument),
      isWanted,
      outputs: reuse ? 'apart' : 'anywhere',
      fuse,
    })
  }

  private tensor(leaf: number): Tensor {
    // Of a leaf of this kind: the signature has been compared.
    return this.found[leaf] as Tensor
  }

  private checkUsable(): void {
    for (const leaf of this.borrowed)
      if (isGone(this.tensor(leaf))) failDisposed('compile', this.tensor(leaf))
    for (const leaf of this.donated) if (isGone(this.tensor(leaf))) failDisposed('compile', this.tensor(leaf))
    const { constants } = this.recording
    for (let i = 0; i < constants.length; i++) {
      const { donated } = constants[i]!
      if (donated === null) continue
      failRange(
        'compile',
        `a tensor that the function uses from a closure was donated to ${donated}`,
        'pass it as an argument',
      )
    }
  }

  // All that can fail for want of memory, before anything is written. A donated tensor is written over where it lies, unless
  // somebody else has the same memory, a tape or another program among them: then a copy is.
  private takeMemory(): void {
    const { plan, replay, bases, handedOut } = this
    const ours = this.takeOutputs()
    const read = nextMark()
    for (const leaf of this.borrowed) {
      const { storage, offset } = this.tensor(leaf)
      bases[leaf] = offset
      // A result of the last call: it would be written over while it is read.
      if (storage.mark === ours) this.copy(leaf)
      else storage.mark = read
    }
    for (const leaf of this.donated) {
      const x = this.tensor(leaf)
      bases[leaf] = x.offset
      if (plan.written.has(leaf)) continue
      if (!this.options.reuse && handedOut.has(leaf) && isShared(x)) this.copy(leaf)
      x.storage.mark = read
    }
    for (const leaf of this.donated) {
      if (!plan.written.has(leaf)) continue
      const x = this.tensor(leaf)
      if (x.storage.mark === read || isShared(x)) this.copy(leaf)
      x.storage.mark = read
    }
    for (let leaf = 0; leaf < bases.length; leaf++) {
      if (bases[leaf] !== undefined) replay.moveLeaf(leaf, bases[leaf]!)
    }
  }

  /** @returns the mark of what outputs are written to */
  private takeOutputs(): number {
    const { plan, replay, outputs } = this
    const given = nextMark()
    for (const leaf of this.donated) this.tensor(leaf).storage.mark = given
    for (const x of this.kept) if (x !== null && isNeeded(x)) x.storage.mark = given
    const ours = nextMark()
    for (let i = 0; i < plan.outputBytes.length; i++) {
      const before = outputs[i]
      // What was returned before and then donated, here or elsewhere, or needed by a gradient, is the program's no more.
      if (before === undefined || before.donated !== null || before.mark === given) {
        outputs[i] = allocate(plan.outputBytes[i]!)
        if (before !== undefined) this.leave(before)
      }
      outputs[i]!.mark = ours
      replay.moveOutput(i, outputs[i]!.offset)
    }
    return ours
  }

  // The tensor that was returned on it now belongs to a scope like any other.
  private leave(storage: Storage): void {
    for (const [index, x] of this.kept.entries()) {
      if (x?.storage !== storage || isGone(x)) continue
      const scope = isNeeded(x) ? storage.neededBy : currentScope()
      if (scope !== null) move(x, scope)
      this.kept[index] = null
    }
    this.lastResult = undefined
    release(storage)
  }

  private copy(leaf: number): void {
    const { size, shape, offset } = this.tensor(leaf)
    const copy = allocate(size * 4, shape)
    this.copies[leaf] = copy
    this.bases[leaf] = copy.offset
    heapFloats().copyWithin(copy.offset / 4, offset / 4, offset / 4 + size)
  }

  private dropCopies(): void {
    for (const copy of this.copies) if (copy !== undefined) release(copy)
    this.copies.length = 0
  }

  private copyIn(): void {
    const { inputs } = this.recording.graph
    for (const leaf of this.plan.copiedIn) {
      const to = this.replay.operand(inputs[leaf]!).offset / 4
      const value = this.found[leaf]
      if (typeof value === 'number') heapFloats()[to] = value
      else heapFloats().set((value as Data).values, to)
    }
  }

  /** What the function returns, in tensors of its own; donated ones are done with. */
  private handOut(): unknown {
    const { found, plan, bases, outputs, copies, handedOut } = this
    const storages: (Storage | undefined)[] = []
    for (const leaf of this.borrowed) storages[leaf] = retain(this.tensor(leaf).storage)
    for (const leaf of this.donated) storages[leaf] = retain(copies[leaf] ?? this.tensor(leaf).storage)
    for (const leaf of this.donated) this.giveUp(leaf)
    for (const leaf of handedOut) {
      const storage = storages[leaf]!
      if (storage.donated === null) continue
      storages[leaf] = storage.heir === null ? handOn(storage, storage.donated) : retain(storage.heir)
      release(storage)
    }
    const scope = currentScope()
    const result = fill(
      this.recording.template,
      (index) => {
        const output = plan.outputs[index]
        if (!output) return null
        const { space, index: at } = plan.places.get(output.value.root)!
        const storage = space === 'output' ? outputs[at]! : storages[at]!
        const base = space === 'output' ? storage.offset : bases[at]!
        return tensorOn(output.value, storage, base + output.value.at, scope)
      },
      (leaf) => found[leaf],
      (cell) => this.key(cell),
    )
    for (const storage of storages) if (storage !== undefined) release(storage)
    return result
  }

  /** What the function returns, in the tensors that it returned before: donated ones, and the program's own. */
  private handAgain(): unknown {
    const { found, plan, outputs, copies, donated, lastFound } = this
    let isSame = this.lastResult !== undefined && this.kept.length === plan.outputs.length
    for (let i = 0; i < donated.length; i++) {
      const leaf = donated[i]!
      if (found[leaf] !== lastFound[leaf] || copies[leaf] !== undefined) isSame = false
    }
    for (const x of this.kept) if (x !== null && isGone(x)) isSame = false
    if (!isSame) {
      const returned = new Set<unknown>()
      this.kept = plan.outputs.map((output, index) => {
        if (output === null) return null
        const { value } = output
        const { space, index: at } = plan.places.get(value.root)!
        if (space === 'output') return this.keptOn(outputs[at]!, value, this.kept[index])
        const copy = copies[at]
        if (copy !== undefined) return tensorOn(value, copy, copy.offset, currentScope())
        returned.add(this.tensor(at)).add(this.tensor(at).storage)
        return this.tensor(at)
      })
      for (const leaf of donated) {
        const x = this.tensor(leaf)
        if (returned.has(x)) continue
        // Its memory may be returned under another name.
        if (returned.has(x.storage)) x.dispose()
        else this.giveUp(leaf)
      }
      for (const leaf of donated) lastFound[leaf] = found[leaf]
    } else if (!this.hasHostLeaves) return this.lastResult
    this.lastResult = fill(
      this.recording.template,
      (index) => this.kept[index],
      (leaf) => found[leaf],
      (cell) => this.key(cell),
    )
    return this.lastResult
  }

  private keptOn(storage: Storage, value: Value, before: Tensor | null | undefined): Tensor {
    if (before && !isGone(before)) return before
    before?.free()
    return tensorOn(value, storage, storage.offset, null)
  }

  // Ends the life of a donated tensor, and of all others on its memory; where a gradient that is being computed still needs
  // it, of that tensor alone, and right after.
  private giveUp(leaf: number): void {
    const x = this.tensor(leaf)
    if (isNeeded(x)) {
      x.dispose()
      return
    }
    x.storage.donated ??= `compile(f), argument ${this.leaves[leaf]!.argument}`
    x.free()
  }

  private key(cell: number): Key {
    const { high, low } = this.recording.host.words(cell)
    return new Key(high >>> 0, low >>> 0)
  }

  private dropOutputs(): void {
    for (const storage of this.outputs) release(storage)
    this.outputs.length = 0
    this.lastResult = undefined
    if (!this.options.reuse) return
    for (const [i, x] of this.kept.entries()) {
      const output = this.plan.outputs[i]
      if (x && output && this.plan.places.get(output.value.root)!.space === 'output') x.dispose()
    }
    this.kept = []
    this.lastFound = []
  }
}

/** Whether anyone but `x` may read its memory later on. */
function isShared(x: Tensor): boolean {
  return x.storage.references > 1 || isNeeded(x)
}

function isNeeded({ storage: { neededBy } }: Tensor): boolean {
  return neededBy !== null && isOpen(neededBy)
}

function tensorOn(value: Value, storage: Storage, offset: number, scope: Scope | null): Tensor {
  const made = new Tensor(value.shape, value.size, offset, retain(storage), null, -1, null)
  own(made, scope)
  return made
}
