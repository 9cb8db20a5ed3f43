/** A checkpoint in a store, as its file is called. */
export interface CheckpointFile {
  /** `000012-step-3400.safetensors` */
  readonly name: string
  /** Counts the checkpoints of a store, from 1 on: a run may go back to an earlier step. */
  readonly number: number
  readonly step: number
}

/** How the file of a checkpoint is called. */
export function checkpointFile(number: number, step: number): CheckpointFile {
  return { name: `${String(number).padStart(6, '0')}-step-${step}.safetensors`, number, step }
}

/** Those of some names that are checkpoints', in the order in which they were written; others are none of ours. */
export function checkpointFiles(names: readonly string[]): CheckpointFile[] {
  const files: CheckpointFile[] = []
  for (const name of names) {
    const [, number, step] = /^(\d{6,15})-step-(\d{1,16})\.safetensors$/.exec(name) ?? []
    if (number !== undefined) files.push({ name, number: Number(number), step: Number(step) })
  }
  return files.sort((a, b) => a.number - b.number || a.step - b.step)
}
