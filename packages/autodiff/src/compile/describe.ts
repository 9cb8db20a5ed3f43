import { failRange } from '../fail.ts'
import type { Numerics } from '../numerics.ts'
import { showShape, sizeOf } from '../shape.ts'
import { padded } from './arena.ts'
import { resultsOf, type Value } from './graph.ts'
import { bytesOf, type Place, type PlannedLine } from './plan.ts'
import type { Program } from './program.ts'

/** A program as text: what was recorded, and what became of it. */
export interface ProgramPlan {
  /** The tape, an entry a line: what it makes, the operation, its operands, the shape, and bytes. */
  readonly recorded: readonly string[]
  /** What is run, a kernel a line, with the place of what it writes, in bytes from where the program's memory begins. */
  readonly planned: readonly string[]
  /** Bytes beside the arguments with every recorded value in memory of its own to the end, as on a tape that is open. */
  readonly recordedBytes: number
  /** Bytes beside the arguments that the program takes while it runs. */
  readonly plannedBytes: number
  /** The numeric mode that it runs in. */
  readonly numerics: 'strict' | Numerics['name']
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
  const { plan, recording, options } = program
  const { recorded: entries } = recording.graph
  const [recordedHeads, ...recorded] = table([
    ['', 'operation', 'operands', 'shape', 'bytes'],
    ...entries.map(({ name, operation, inputs, shape, isView }) => [
      name,
      operation,
      inputs.join(', '),
      showShape(shape),
      isView ? 'view' : grouped(sizeOf(shape) * 4),
    ]),
  ])
  const writers = new Map<string, Value>()
  const [plannedHeads, ...planned] = table([
    ['', 'operation', 'operands', 'shape', 'bytes', 'written', ''],
    ...plan.lines.flatMap((line) =>
      resultsOf(line).map((output) => {
        const place = plan.places.get(output)!
        const key = `${place.space} ${place.index} ${place.offset}`
        const before = writers.get(key)
        if (output.size > 0) writers.set(key, output)
        const isFirst = output === line.output
        return [
          output.name,
          isFirst ? line.operation.name : '″',
          isFirst ? line.inputs.map(({ name }) => name).join(', ') : '″',
          showShape(output.shape),
          grouped(output.size * 4),
          output.size === 0 ? '' : where(place, program, output),
          output.size > 0 && line.inputs.some(({ root }) => root === before) ? 'in place' : work(line),
        ]
      }),
    ),
  ])
  const recordedBytes = entries.reduce(
    (sum, { shape, isView }) => sum + (isView ? 0 : padded(sizeOf(shape) * 4)),
    0,
  )
  const plannedBytes = bytesOf(plan)
  const handedOut = plannedBytes - plan.arenaBytes
  const numerics = options.numerics?.name ?? 'strict'
  const text = [
    ...(numerics === 'strict' ? [] : [`numerics: ${numerics}`]),
    `recorded: ${count(entries.length, 'entry', 'entries')}, ${grouped(recordedBytes)} bytes with every value kept`,
    ...[recordedHeads, ...recorded].map((line) => `  ${line}`),
    `planned: ${count(plan.lines.length, 'kernel', 'kernels')}, ${grouped(plannedBytes)} bytes, ${grouped(handedOut)} of them for results`,
    ...[plannedHeads, ...planned].map((line) => `  ${line}`),
  ].join('\n')
  return { recorded, planned, recordedBytes, plannedBytes, numerics, toString: () => text }
}

function where({ space, index, offset }: Place, { plan, recording }: Program, output: Value): string {
  if (space === 'arena') return `at ${grouped(offset)}`
  if (space === 'leaf') return `over ${recording.graph.inputs[index]?.name ?? 'its argument'}`
  const path = plan.outputs.find((one) => one?.value.root === output)?.path ?? ''
  return `result ${path}`.trimEnd()
}

/** Where a kernel's working memory begins. */
function work({ operation, inputs, attributes, scratch }: PlannedLine): string {
  const needed = operation.scratch?.(inputs, attributes) ?? 0
  return needed === 0 ? '' : `works at ${grouped(scratch)}`
}

function grouped(count: number): string {
  return count.toLocaleString('en-US')
}

function count(things: number, one: string, several: string): string {
  return `${grouped(things)} ${things === 1 ? one : several}`
}

// Columns that line up, however long names are; bytes end where they end.
function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length)
  }
  const bytes = rows[0]!.indexOf('bytes')
  return rows.map((row) =>
    row
      .map((cell, i) => (i === bytes ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd(),
  )
}
