import { failType, kindOf } from '@tapeflow/autodiff'
import { inspectSafetensors, type NumberArray, snapshotsFromSafetensors } from '@tapeflow/nn'
import type { RunSnapshot } from '../snapshots.ts'
import { CheckpointError } from './checkpoint-error.ts'
import { atOnce, checksum, hasChecksum, statedChecksum } from './checksum.ts'
import { runOfText } from './run-text.ts'
import { formatVersion, runFormat } from './to-checkpoint.ts'

const operation = 'fromCheckpoint'

/**
 * The run that a file of `toCheckpoint` holds, to go on from: `fit(model, { ..., from: fromCheckpoint(bytes) })`.
 *
 * The checksum is looked at first: every file that was cut or in which up to 32 bits in a row are others is refused, and what was
 * written by chance or on purpose passes for a file as seldom as once in 2^32. Nothing in it is ever executed.
 *
 * @param bytes of the whole file; nothing of them is kept
 * @throws CheckpointError whose `problem` is `damaged`, `newer` (written by a later version, which has to read it too), or
 * `unreadable`
 * @example
 * fromCheckpoint(toSafetensors({})) // throws CheckpointError: fromCheckpoint: the file of 16 bytes is no checkpoint of a run, or its beginning is damaged
 */
export function fromCheckpoint(bytes: Uint8Array): RunSnapshot {
  if (!(bytes instanceof Uint8Array)) {
    failType(operation, `the bytes must be a Uint8Array, got ${kindOf(bytes)}`, 'pass what toCheckpoint gave')
  }
  requireIntact(bytes)
  try {
    requireVersion(inspectSafetensors(bytes).metadata)
    return runOf(snapshotsFromSafetensors(bytes))
  } catch (cause) {
    if (cause instanceof CheckpointError) throw cause
    const words = cause instanceof Error ? cause.message : String(cause)
    throw unreadable(words, { cause })
  }
}

function requireIntact(bytes: Uint8Array): void {
  if (!hasChecksum(bytes)) {
    throw new CheckpointError(
      operation,
      'damaged',
      `the file of ${bytes.length} bytes is no checkpoint of a run, or its beginning is damaged`,
    )
  }
  const [stated, found] = [statedChecksum(bytes), atOnce(checksum(bytes))]
  if (stated === found) return
  throw new CheckpointError(
    operation,
    'damaged',
    `the file of ${bytes.length} bytes has the checksum ${found}, not ${JSON.stringify(stated)}`,
    'it was cut, or has changed since it was written',
  )
}

function requireVersion({ format, version, library }: Readonly<Record<string, string>>): void {
  if (format !== runFormat || !/^[1-9]\d{0,8}$/.test(version ?? ''))
    throw unreadable(`it says that it is ${JSON.stringify(format)}, version ${JSON.stringify(version)}`)
  if (Number(version) <= formatVersion) return
  throw new CheckpointError(
    operation,
    'newer',
    `the file was written by a newer Tapeflow (${library}), in format ${version}, this one reads up to ${formatVersion}`,
    'update @tapeflow/train',
  )
}

function runOf(arrays: ReturnType<typeof snapshotsFromSafetensors>): RunSnapshot {
  const valuesOf = (name: unknown): NumberArray => {
    if (typeof name === 'string' && Object.hasOwn(arrays, name)) return arrays[name]!.values
    throw unreadable(`it has no array ${JSON.stringify(name)}`)
  }
  const text = valuesOf('run')
  if (!(text instanceof Uint8Array)) throw unreadable('its array run is no text')
  const run = runOfText(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(text), valuesOf)
  if (typeof run !== 'object' || run === null || !('step' in run) || !('measured' in run))
    throw unreadable('its text is not of a run')
  // `fit` checks all of it when it goes on from there.
  return run as RunSnapshot
}

function unreadable(what: string, options?: ErrorOptions): CheckpointError {
  return new CheckpointError(
    operation,
    'unreadable',
    `the file is intact, but no run can be read from it: ${what}`,
    undefined,
    options,
  )
}
