// The law matrix in a process of its own: what `bundle.js` makes begins here. It says on its output, a line of JSON each, what each
// cell came to, at once: whoever reads may lose patience.
import { readFileSync, writeSync } from 'node:fs'

/**
 * Runs cells of the matrix until a law fails, or, of the source as it is, all.
 *
 * argv[2] is a file with `{ cells: [row, column][] }`, to run in this order until one fails, or `{ part, of }`, to run every
 * `of`th row.
 *
 * @param {readonly { path: string, info: import('@tapeflow/autodiff/testing').OperationInfo }[]} rows
 * @param {Readonly<Record<string, (info: unknown) => void>>} columns
 */
export function run(rows, columns) {
  const { cells, part, of } = JSON.parse(readFileSync(process.argv[2], 'utf8'))
  const names = Object.keys(columns)
  say({ loaded: true, ...counted() })
  const wanted = cells ?? rows.flatMap((_, i) => (i % of === part ? names.map((name) => [i, name]) : []))
  for (const [row, column] of wanted) {
    const { path, info } = rows[row]
    const name = info.operation.name
    const before = process.cpuUsage()
    let problem
    try {
      columns[column](info)
    } catch (error) {
      problem = String(error instanceof Error ? error.message : error).slice(0, 2000)
    }
    const { user, system } = process.cpuUsage(before)
    say({ row, name, path, column, milliseconds: (user + system) / 1000, problem, ...counted() })
    if (problem !== undefined && cells !== undefined) break
  }
}

const say = (line) => writeSync(1, `${JSON.stringify(line)}\n`)

const counted = () => globalThis.counted()
