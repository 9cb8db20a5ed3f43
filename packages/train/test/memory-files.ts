import { machine } from '@tapeflow/optim'
import type { Files, RunSnapshot } from '../src/index.ts'

/** Files in memory, and what was done to them in order. */
export interface MemoryFiles extends Files {
  readonly kept: Map<string, Uint8Array>
  readonly done: string[]
}

export function memoryFiles(): MemoryFiles {
  const kept = new Map<string, Uint8Array>()
  const done: string[] = []
  return {
    name: 'memory',
    kept,
    done,
    list: async () => [...kept.keys()].sort(),
    read: async (name) => kept.get(name) ?? null,
    write: async (name, bytes) => {
      done.push(`write ${name}`)
      kept.set(name, bytes)
    },
    delete: async (name) => {
      done.push(`delete ${name}`)
      kept.delete(name)
    },
  }
}

/** A run that has come to some step, with one weight. */
export function runAt(step: number, measured: Readonly<Record<string, number>> = {}): RunSnapshot {
  return {
    params: { w: { shape: [1], values: Float32Array.of(step) } },
    state: null,
    slots: {},
    step,
    epoch: 0,
    batch: step,
    seed: 0,
    numerics: 'strict',
    control: machine({}).state,
    kept: {},
    sums: { loss: 0, losses: {}, weight: 0, rows: 0, metrics: {} },
    learningRate: Number.NaN,
    measured,
    history: [],
    seconds: 0,
    lastBatch: null,
    awaitsValidation: false,
    lastValidation: null,
    frozen: [],
    programs: {},
    ended: null,
  }
}

/** A damaged file: some bits in its middle are others. */
export function damaged(bytes: Uint8Array): Uint8Array {
  const at = bytes.length >> 1
  return bytes.with(at, bytes[at]! ^ 0x10)
}
