// The law matrix in a process of its own: what `bundle.js` makes begins here. It says on its output, a line of JSON each, what each
// cell came to, at once: whoever reads may lose patience.
import { readFileSync, writeSync } from 'node:fs'

/**
 * Runs cells of the matrix until a law fails, or, of the source as it is, all.
 *
 * argv[2] is a file with `{ cells: [row, law][] }`, to run in this order until one fails, or `{ part, of }`, to run every
 * `of`th row.
 *
 * @param {readonly { name: string, laws: Readonly<Record<string, () => void>> }[]} matrix
 */
export function run(matrix) {
  const { cells, part, of } = JSON.parse(readFileSync(process.argv[2], 'utf8'))
  say({ loaded: true, ...counted() })
  const all = matrix.flatMap(({ laws }, row) => Object.keys(laws).map((law) => [row, law]))
  for (const [row, law] of cells ?? all.filter(([row]) => row % of === part)) {
    const before = process.cpuUsage()
    let problem
    try {
      matrix[row].laws[law]()
    } catch (error) {
      problem = String(error instanceof Error ? error.message : error).slice(0, 2000)
    }
    const { user, system } = process.cpuUsage(before)
    say({ row, name: matrix[row].name, law, milliseconds: (user + system) / 1000, problem, ...counted() })
    if (problem !== undefined && cells !== undefined) break
  }
}

const say = (line) => writeSync(1, `${JSON.stringify(line)}\n`)

const counted = () => globalThis.counted()
