import { failType, kindOf } from '@tapeflow/autodiff'
import type { ParametersSnapshot, RunSnapshot } from './snapshots.ts'

const parameterFields = ['params', 'state'] as const
const runFields = [
  ...parameterFields,
  'slots',
  'control',
  'kept',
  'sums',
  'learningRate',
  'measured',
  'history',
  'seconds',
  'lastBatch',
  'awaitsValidation',
  'lastValidation',
  'frozen',
  'programs',
  'ended',
  'step',
  'epoch',
  'batch',
] as const

/**
 * Throws unless `from` is a snapshot by its form; whether it is one of this model is for the run to see.
 *
 * @param name what it is to the user
 * @throws TypeError: says what is missing, or what it is instead
 */
export function requireSnapshot(from: unknown, name?: string): asserts from is RunSnapshot {
  requireFields(from, runFields, name)
}

/** Throws unless `from` has weights and layer state, as a snapshot has them. */
export function requireParameters(from: unknown): asserts from is ParametersSnapshot {
  requireFields(from, parameterFields)
}

function requireFields(from: unknown, fields: readonly string[], name = 'the snapshot to restore'): void {
  if (typeof from !== 'object' || from === null || 'then' in from) {
    const remedy = typeof from === 'object' && from !== null ? 'await it' : 'pass event.snapshot()'
    failType('fit', `${name} must be plain data, got ${kindOf(from)}`, remedy)
  }
  const missing = fields.filter((field) => Reflect.get(from, field) === undefined)
  if (missing.length > 0) {
    failType('fit', `${name} has no ${missing.join(', ')}`, remedyFor(from, missing))
  }
  for (const field of ['params', 'state', 'slots']) {
    requireArrays(Reflect.get(from, field), `${name} has at ${field}`)
  }
}

function remedyFor(from: object, missing: readonly string[]): string {
  if ('reason' in from) return 'pass the result of the end event'
  if (missing.some((name) => name === 'params' || name === 'state')) return 'pass event.snapshot()'
  return "restore it with what: 'parameters', or take it of the whole run"
}

/** JSON makes objects of arrays of numbers. */
function requireArrays(tree: unknown, at: string): void {
  if (typeof tree !== 'object' || tree === null || ArrayBuffer.isView(tree)) return
  if ('shape' in tree && 'values' in tree && !ArrayBuffer.isView(tree.values)) {
    failType(
      'fit',
      `${at} values that are ${kindOf(tree.values)}, not a Float32Array`,
      'keep it by toCheckpoint, not as JSON',
    )
  }
  for (const [key, inner] of Object.entries(tree)) requireArrays(inner, `${at}.${key}`)
}
