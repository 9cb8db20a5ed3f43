// Runs the law matrix: on the source as it is, to see what each cell reaches and costs, and on mutants, until a law fails.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** A cell takes up to half a second; on a machine that does other things, some more. */
const patience = 30_000

const folder = mkdtempSync(join(tmpdir(), 'tapeflow-mutants-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
let files = 0

/**
 * Runs a bundle in a process of its own.
 * @param {Uint8Array} code
 * @param {object} order what `matrix.js` is to run
 * @returns {Promise<{ lines: object[], ended: 'well' | 'badly' | 'never', words: string }>}
 */
export async function run(code, order) {
  const name = join(folder, `${files++}`)
  writeFileSync(`${name}.mjs`, code)
  writeFileSync(`${name}.json`, JSON.stringify(order))
  const child = spawn(process.execPath, ['--max-old-space-size=1024', `${name}.mjs`, `${name}.json`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines = []
  let words = ''
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    child.kill('SIGKILL')
  }, patience)
  child.stderr.on('data', (data) => (words = (words + data).slice(0, 4000)))
  createInterface({ input: child.stdout }).on('line', (line) => {
    timer.refresh()
    lines.push(JSON.parse(line))
  })
  const status = await new Promise((resolve) => child.on('close', resolve))
  clearTimeout(timer)
  for (const end of ['mjs', 'json']) rmSync(`${name}.${end}`)
  return { lines, ended: isLate ? 'never' : status === 0 ? 'well' : 'badly', words }
}
