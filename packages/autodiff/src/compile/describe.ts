import { failRange } from '../fail.ts'
import { showShape, sizeOf } from '../shape.ts'
import { padded } from './arena.ts'
import type { Value } from './graph.ts'
import { bytesOf, type Place, type PlannedLine } from './plan.ts'
import type { Program } from './program.ts'

/** A program as text: what was recorded, and what became of it. */
export interface ProgramPlan {
  /** The tape, an entry a line: `%7 = matmul %2 %0 [32,16]`. */
  readonly recorded: readonly string[]
  /** What is run, a kernel a line, with the place of what it writes. */
  readonly planned: readonly string[]
  /** Bytes beside the arguments with every recorded value in memory of its own to the end, as on a tape that is open. */
  readonly recordedBytes: number
  /** Bytes beside the arguments that the program takes while it runs. */
  readonly plannedBytes: number
  /** Both, to be printed. */
  toString(): string
}

/** What a program does, in words. */
export function describePlan(program: Program | null): ProgramPlan {
  if (program === null) {
    return failRange(
      'plan',
      'the function uses a value that is being traced around it: it runs there and has no program of its own',
      'pass the value as an argument',
    )
  }
  const { plan, recording } = program
  const { recorded: entries } = recording.graph
  const recorded = table(
    entries.map(({ name, operation, inputs, shape, isView }) => [
      name,
      `${operation} ${inputs.join(' ')}`,
      showShape(shape),
      isView ? 'view' : bytes(sizeOf(shape) * 4),
    ]),
  )
  const writers = new Map<string, Value>()
  const planned = table(
    plan.lines.map((line) => {
      const place = plan.places.get(line.output)!
      const key = `${place.space} ${place.index} ${place.offset}`
      const before = writers.get(key)
      writers.set(key, line.output)
      return [
        line.output.name,
        `${line.operation.name} ${line.inputs.map(({ name }) => name).join(' ')}`,
        showShape(line.output.shape),
        bytes(line.output.size * 4),
        line.output.size === 0 ? '' : where(place, program, line),
        before !== undefined && line.inputs.some(({ root }) => root === before) ? 'in place' : '',
      ]
    }),
  )
  const recordedBytes = entries.reduce(
    (sum, { shape, isView }) => sum + (isView ? 0 : padded(sizeOf(shape) * 4)),
    0,
  )
  const plannedBytes = bytesOf(plan)
  const text = [
    `recorded: ${entries.length} entries, ${bytes(recordedBytes)} with every value kept`,
    ...recorded.map((line) => `  ${line}`),
    `planned: ${plan.lines.length} kernels, ${bytes(plannedBytes)} (${bytes(plan.arenaBytes)} of its own, ${bytes(plannedBytes - plan.arenaBytes)} handed out)`,
    ...planned.map((line) => `  ${line}`),
  ].join('\n')
  return { recorded, planned, recordedBytes, plannedBytes, toString: () => text }
}

function where(
  { space, index, offset }: Place,
  { recording }: Program,
  { scratch, operation }: PlannedLine,
): string {
  const work = operation.scratch === undefined || scratch === 0 ? '' : `, works at ${scratch}`
  if (space === 'arena') return `at ${offset}${work}`
  if (space === 'output') return `result${work}`
  return `over ${recording.graph.inputs[index]?.name ?? 'its argument'}${work}`
}

function bytes(count: number): string {
  return `${count.toLocaleString('en-US')} bytes`
}

// Columns that line up, however long names are.
function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length)
  }
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  )
}
