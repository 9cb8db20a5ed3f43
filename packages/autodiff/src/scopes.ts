import { failRange } from './fail.ts'
import { countTensors, release, type Storage } from './memory.ts'
import type { Operation } from './operation.ts'
import type { Tensor } from './tensor.ts'

/** Something that a scope frees: a tensor. `owner` is the scope that will, null if none does. */
export interface Owned {
  owner: Scope | null
  readonly storage: Storage
  free(): void
}

/** A list of what was made since it was opened, freed together. Opened by `openScope`, closed in reverse order. */
export class Scope {
  readonly depth: number
  /** Its owner tried to close it too early, and will not come back. */
  late = false
  private readonly members: Owned[] = []
  private sweepAt = 1024
  constructor(depth: number) {
    this.depth = depth
  }

  /** Makes this scope the one that frees `owned`. */
  adopt(owned: Owned): void {
    owned.owner = this
    if (this.members.length >= this.sweepAt) this.sweep()
    this.members.push(owned)
  }

  // Long-lived scopes forget what was disposed or handed on meanwhile.
  private sweep(): void {
    let kept = 0
    for (const member of this.members) if (member.owner === this) this.members[kept++] = member
    this.members.length = kept
    this.sweepAt = Math.max(1024, 2 * kept)
  }

  /** Lets go of all members, and calls `next` with each that is still this scope's own. */
  letGo(next: (owned: Owned) => void): void {
    for (const member of this.members) {
      // It may be listed twice, having been away in between.
      if (member.owner !== this) continue
      member.owner = null
      next(member)
    }
    this.members.length = 0
    this.sweepAt = 1024
  }

  /** Frees every member that is still this scope's own. */
  freeMembers(): void {
    const members = this.members
    for (let i = 0; i < members.length; i++) {
      const member = members[i]!
      if (member.owner === this) member.free()
    }
    members.length = 0
  }
}

/** Where in a program a computation stands. */
export interface Origin {
  /** The names around it, joined by '.': `layers.0`; empty where there are none. */
  readonly path: string
  /** In a backward pass the name of the operation that cotangents go back through; null in a forward pass. */
  readonly backwardOf: string | null
  /** Under a watcher: the call that it goes back to, for its stack. */
  readonly call: Error | null
}

/** What looks at everything that is computed. */
export interface Watcher {
  /** Called after each kernel. */
  look(operation: Operation, inputs: readonly Tensor[], attributes: unknown, output: Tensor): void
  /** The call that is being made now, with its stack. */
  call(): Error
}

// The stack of open scopes, and what goes with the calls that are open: with the heap, the one piece of mutable state in this package.
const scopes: Scope[] = []
let origin: Origin = { path: '', backwardOf: null, call: null }
let watcher: Watcher | null = null
const abandoned =
  typeof FinalizationRegistry === 'function'
    ? new FinalizationRegistry<Storage>((storage) => {
        countTensors(-1)
        release(storage)
      })
    : undefined

// What has no scope is known to the garbage collector from the end of the job on: it would not say anything earlier, and most
// of what is disposed of is gone by then.
const unscoped = new Scope(-1)
let isExpected = false

function leaveToCollector(owned: Owned): void {
  if (abandoned === undefined) {
    owned.owner = null
    return
  }
  unscoped.adopt(owned)
  if (isExpected) return
  isExpected = true
  void Promise.resolve().then(register)
}

function register(): void {
  isExpected = false
  unscoped.letGo((owned) => abandoned?.register(owned, owned.storage, owned))
}

/** The innermost open scope, null outside of any. */
export function currentScope(): Scope | null {
  return scopes.length === 0 ? null : scopes[scopes.length - 1]!
}

/** The scope around `scope`, null for the outermost. */
export function scopeAround(scope: Scope): Scope | null {
  return scope.depth === 0 ? null : scopes[scope.depth - 1]!
}

/** Where what is computed now stands. */
export function currentOrigin(): Origin {
  return origin
}

/** From now on what is computed stands there; whoever calls this calls it again, with what was before, also after an error. */
export function setOrigin(next: Origin): void {
  origin = next
}

/** Where an entry stands that is applied again, `around` it: what was recorded in a backward pass stays in one. */
export function originWithin(around: Origin, { path, backwardOf, call }: Origin): Origin {
  return { path, backwardOf: backwardOf ?? around.backwardOf, call: call ?? around.call }
}

/** What looks at all that is computed now, null as a rule. */
export function currentWatcher(): Watcher | null {
  return watcher
}

/** What `f` returns; what it computes is looked at by `next`. */
export function underWatcher<R>(next: Watcher, f: () => R): R {
  const before = watcher
  watcher = next
  try {
    return f()
  } finally {
    watcher = before
  }
}

/** Where a line that is recorded now comes from. */
export function recordedOrigin(): Origin {
  return watcher === null || origin.call !== null ? origin : { ...origin, call: watcher.call() }
}

/** Opens a scope: what is made from now on belongs to it. */
export function openScope(): Scope {
  const scope = new Scope(scopes.length)
  scopes.push(scope)
  return scope
}

/** Whether `scope` has been opened and not closed. */
export function isOpen(scope: Scope): boolean {
  return scopes[scope.depth] === scope
}

/**
 * Closes the innermost scope and frees what it still owns.
 *
 * @throws RangeError when another scope was opened later and is still open
 */
export function closeScope(scope: Scope): void {
  if (!isOpen(scope)) failRange('scope', 'this scope is closed already', 'close each scope once')
  if (scopes.length - 1 !== scope.depth) {
    scope.late = true
    failRange(
      'scope',
      'closed while a scope opened later is still open',
      'close scopes in the reverse order of opening',
    )
  }
  scopes.pop()
  scope.freeMembers()
  // Those that were to be closed before this one: they would otherwise own all that comes.
  for (let next = currentScope(); next?.late; next = currentScope()) scopes.pop()!.freeMembers()
}

/** Closes a scope that an error is passing through, with every scope opened later that nobody closed. */
export function unwindScope(scope: Scope): void {
  while (scopes.length > scope.depth) scopes.pop()!.freeMembers()
}

/** Hands a new tensor to `scope`, or, with no scope open, to the garbage collector as a safety net. */
export function own(owned: Owned, scope: Scope | null = currentScope()): void {
  countTensors(1)
  if (scope === null) leaveToCollector(owned)
  else scope.adopt(owned)
}

/** Moves `owned` from its scope to `scope`, which must be open; null leaves it to the garbage collector. */
export function move(owned: Owned, scope: Scope | null): void {
  if (scope === null) leaveToCollector(owned)
  else {
    if (owned.owner === null) abandoned?.unregister(owned)
    scope.adopt(owned)
  }
}

/** Takes `owned` out of the books: its reference on its storage is given up. */
export function disown(owned: Owned): void {
  countTensors(-1)
  if (owned.owner === null) abandoned?.unregister(owned)
  else owned.owner = null
  release(owned.storage)
}
