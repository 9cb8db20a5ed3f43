import { toSafetensors } from '@tapeflow/nn'
import type { RunSnapshot } from '../snapshots.ts'
import { CheckpointError } from './checkpoint-error.ts'
import { atOnce, checksum, noChecksum, stateChecksum } from './checksum.ts'
import { libraryVersion } from './library-version.ts'
import { runText } from './run-text.ts'

/** What the metadata of a file say that is a run. */
export const runFormat = 'tapeflow run'
/** The version of the format that is written here. */
export const formatVersion = 1

/**
 * The bytes of a file that holds a whole run, from which `fit` goes on as if nothing had been: `from: fromCheckpoint(bytes)`.
 *
 * It is a safetensors file, which Python's library reads like any other. Weights, layer state and slots stand there by their paths,
 * `params.layers.0.weight`, `state.layers.1.mean`, `slots.m.layers.0.weight`; what callbacks keep of arrays as `kept.0`, `kept.1`;
 * all else as a text in `run`. The metadata tell `format` and `version`, the version of the `library`, `numerics`, the `programs` of
 * steps, `step` and `epoch`, and first the `checksum`: the CRC-32 of the file with eight zeros in its place.
 *
 * @param run what `snapshot()` of an event gives, a `checkpoint` event has, and `end` as its result
 * @throws CheckpointError where the run holds what is no plain data, such as a function that a callback keeps
 * @example
 * const x = { shape: [4, 1], values: Float32Array.of(1, 2, 3, 4) }
 * const data = dataset({ x, y: x }).batch(2)
 * const options = { data, loss: mse(), optimizer: adam({ learningRate: 0.1 }), epochs: 3 }
 * const { result: run } = await lastValueFrom(fit(linear(1, 1), options))
 * const bytes = toCheckpoint(run)
 * inspectSafetensors(bytes).metadata.version // => '1'
 * fromCheckpoint(bytes).step // => 6
 * const more = await result(fit(linear(1, 1), { ...options, epochs: 4, from: fromCheckpoint(bytes) }))
 * more.history.length // => 4
 */
export function toCheckpoint(run: RunSnapshot): Uint8Array<ArrayBuffer> {
  return atOnce(checkpointBytes(run))
}

/** As `toCheckpoint`, with a yield wherever others may have their turn. */
export function* checkpointBytes(run: RunSnapshot): Generator<undefined, Uint8Array<ArrayBuffer>> {
  const { params, state, slots, step, epoch, numerics, programs } = run
  let bytes: Uint8Array<ArrayBuffer>
  try {
    const { text, kept } = runText(run)
    yield
    const values = new TextEncoder().encode(text)
    const metadata = {
      checksum: noChecksum,
      format: runFormat,
      version: String(formatVersion),
      library: libraryVersion,
      numerics,
      programs: JSON.stringify(programs),
      step: String(step),
      epoch: String(epoch),
    }
    const tree = { params, state, slots, kept, run: { shape: [values.length], values } }
    bytes = toSafetensors(tree, { metadata })
  } catch (cause) {
    throw new CheckpointError('toCheckpoint', 'unwritable', whatOf(cause), 'keep plain data', { cause })
  }
  yield
  stateChecksum(bytes, yield* checksum(bytes))
  return bytes
}

/** In devalue's errors the path says where. */
function whatOf(cause: unknown): string {
  const words = cause instanceof Error ? cause.message : String(cause)
  const path = cause instanceof Error && 'path' in cause ? ` at ${String(cause.path)}` : ''
  return `the run cannot be written: ${words}${path}`
}
