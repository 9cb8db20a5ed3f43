import { release, retain, type Storage } from '../memory.ts'
import type { Scope } from '../scopes.ts'
import { knownUnder, Tape } from '../tape.ts'
import { failDisposed, isGone, type Tensor } from '../tensor.ts'
import { TracedKey } from '../traced-key.ts'
import { refuseAsynchronous } from '../transforms/functions.ts'
import { inScope, put } from '../tree.ts'
import { Builder, type Template } from './build.ts'
import type { Graph, Source } from './graph.ts'
import type { HostValues } from './host.ts'
import { type Leaf, rebuild, type Signature } from './signature.ts'

/** A function's run on shapes alone: the program, what it returns, and what is known on the host only. */
export interface Recording {
  readonly graph: Graph
  readonly template: Template
  readonly host: HostValues
  /** Memory of the constants, one reference each. */
  readonly constants: readonly Storage[]
}

/** A function's run on an abstract tape, which is closed by now. */
export interface AbstractRun {
  /** By leaf what it was given. */
  readonly inputs: readonly (Tensor | TracedKey)[]
  readonly returned: unknown
}

/** Runs `f` on inputs of `tape`, which is abstract, in the place of the traced leaves of its arguments. */
export function runOn(
  tape: Tape,
  operation: string,
  f: (...args: never) => unknown,
  signatures: readonly Signature[],
  leaves: readonly Leaf[],
): AbstractRun {
  const inputs = leaves.map(({ kind, shape }, i) => {
    if (kind === 'key') return TracedKey.input(tape, i)
    return kind === 'number' ? tape.abstractNumber() : tape.abstractInput(shape)
  })
  let returned: unknown
  try {
    // The arguments are rebuilt from those that `f` was called with: they are of its types, but for what is traced.
    returned = f(...(signatures.map((one) => rebuild(one, (leaf) => inputs[leaf])) as never))
  } finally {
    tape.open = false
  }
  refuseAsynchronous(operation, returned)
  return { inputs, returned }
}

/**
 * Runs `f` once on values that are only shapes.
 *
 * @returns null where `f` uses a value of an open tape around without being passed it: then it must be run on that tape
 * @throws RecordingError where a value is read; TypeError where `f` is asynchronous or returns something else than a tree
 */
export function record(
  operation: string,
  f: (...args: never) => unknown,
  signatures: readonly Signature[],
  leaves: readonly Leaf[],
): Recording | null {
  const constants: Storage[] = []
  let recording: Recording | null = null
  let done = false
  const run = (scope: Scope): void => {
    const tape = new Tape(scope, true)
    const { inputs, returned } = runOn(tape, operation, f, signatures, leaves)
    // A value of a tape around: it differs from call to call, and a gradient may be wanted.
    let captures = false
    const outside = (x: Tensor): Source => {
      if (knownUnder(x, Number.POSITIVE_INFINITY) !== null) captures = true
      else if (isGone(x)) failDisposed(operation, x)
      else constants.push(retain(x.storage))
      return { kind: 'constant', storage: x.storage, offset: x.offset }
    }
    const builder = new Builder(tape, leaves, inputs, outside, true)
    const template = builder.build(operation, returned)
    if (captures || builder.capturesKeys) return
    recording = { graph: builder.graph(), template, host: builder.host, constants }
  }
  try {
    inScope(run)
    done = recording !== null
    return recording
  } finally {
    if (!done) for (const storage of constants) release(storage)
  }
}

/** The function that a template was made of returned this, with `output`, `leaf` and `key` in their places. */
export function fill(
  template: Template,
  output: (index: number) => unknown,
  leaf: (leaf: number) => unknown,
  key: (cell: number) => unknown,
): unknown {
  switch (template.kind) {
    case 'output':
      return output(template.index)
    case 'leaf':
      return leaf(template.leaf)
    case 'key':
      return key(template.cell)
    case 'static':
      return template.value
    case 'array': {
      const made: unknown[] = []
      for (const item of template.items) made.push(fill(item, output, leaf, key))
      return made
    }
    case 'object': {
      const made: Record<string, unknown> = {}
      const { keys, items } = template
      for (let i = 0; i < keys.length; i++) put(made, keys[i]!, fill(items[i]!, output, leaf, key))
      return made
    }
  }
}

/** Whether a template has something that is no tensor and differs from call to call. */
export function hasHostLeaves(template: Template): boolean {
  switch (template.kind) {
    case 'leaf':
    case 'key':
      return true
    case 'array':
    case 'object':
      return template.items.some(hasHostLeaves)
    default:
      return false
  }
}
