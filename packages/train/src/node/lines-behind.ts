import type { StartEvent } from '../events.ts'

/** What is read of a line that the run before wrote. */
interface Line {
  readonly type?: unknown
  readonly step?: unknown
  readonly epoch?: unknown
}

/**
 * The lines of `jsonLinesLogger` that a run has behind it which goes on from a snapshot: those after it are of what it does again.
 *
 * @param lines whole ones, in order
 */
export function linesBehind(start: StartEvent, lines: readonly string[]): readonly string[] {
  const kept: { readonly text: string; readonly line: Line }[] = []
  // Commands and checkpoints go with the event that they answer.
  let isBehind = true
  for (const text of lines) {
    const line = parsed(text)
    if (line.type !== 'command' && line.type !== 'checkpoint') isBehind = isEventBehind(start, line)
    if (isBehind) kept.push({ text, line })
  }
  // What acted after the checkpoint was taken is not in it, and is asked for again.
  const last = kept.findLastIndex(({ line }) => line.type !== 'command')
  const isTaken = kept[last]?.line.type === 'checkpoint' && kept[last].line.step === start.step
  return (isTaken ? kept.slice(0, last + 1) : kept).map(({ text }) => text)
}

function isEventBehind({ step: next, info: { resumed } }: StartEvent, { type, step, epoch }: Line): boolean {
  // None of ours.
  if (typeof step !== 'number') return true
  if (step > next) return false
  if (type === 'step' || type === 'start') return step < next
  if (type === 'epoch') {
    return resumed === undefined ? step < next : resumed.history.some((record) => record.epoch === epoch)
  }
  if (type === 'validation') {
    if (resumed === undefined) return step < next
    return resumed.lastValidation !== null && step <= resumed.lastValidation.step
  }
  // A run that had ended tells of its end again.
  return type === 'finishing' && (step < next || typeof resumed?.ended === 'string')
}

function parsed(text: string): Line {
  try {
    const line: unknown = JSON.parse(text)
    return typeof line === 'object' && line !== null ? line : {}
  } catch {
    return {}
  }
}
