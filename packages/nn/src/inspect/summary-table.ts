import { showShape } from '@tapeflow/autodiff'
import type { Summary } from './summary.ts'

const head = ['Path', 'Layer', 'Output shape', 'Parameters', 'Trainable']

/** The table of a summary: a line for each layer, and the totals. */
export function summaryTable({
  rows,
  parameters,
  trainable,
  notTrainable,
}: Omit<Summary, 'toString'>): string {
  const lines = rows.map((row) => [
    row.path,
    row.name,
    row.outputShapes.map(showShape).join(' '),
    grouped(row.parameters),
    grouped(row.trainable),
  ])
  const widths = head.map((title, i) => Math.max(title.length, ...lines.map((line) => line[i]!.length)))
  const aligned = (line: readonly string[]): string =>
    line
      .map((cell, i) => (i < 3 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd()
  const rule = '-'.repeat(aligned(head).length)
  return [
    aligned(head),
    rule,
    ...lines.map(aligned),
    rule,
    `Parameters: ${grouped(parameters)}`,
    `Trainable: ${grouped(trainable)}`,
    `Not trainable: ${grouped(notTrainable)}`,
  ].join('\n')
}

/** 100480 -> 100,480, the same wherever it runs. */
function grouped(count: number): string {
  return `${count}`.replace(/\B(?=(\d{3})+$)/g, ',')
}
