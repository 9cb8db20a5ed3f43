// Run by tensor-board.node.test.ts in a process of its own: trains into three log files in the folder that it is told, and kills
// itself without a word in the middle of it.
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { fit } from '../src/index.ts'
import { csvLogger, jsonLinesLogger, tensorBoard } from '../src/node.ts'
import { line, twoPoints } from './small.ts'

const folder = process.argv[2]!
const monitors = [
  csvLogger(join(folder, 'rows.csv'), { every: 1 }),
  jsonLinesLogger(join(folder, 'lines.ndjson')),
  tensorBoard(join(folder, 'board')),
]
fit(line, { ...twoPoints, epochs: 1_000_000, monitors }).subscribe(({ step }) => {
  if (step % 97 !== 0) return
  const size = statSync(join(folder, 'rows.csv'), { throwIfNoEntry: false })?.size ?? 0
  if (size > 300_000) process.kill(process.pid, 'SIGKILL')
})
