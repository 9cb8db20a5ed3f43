// `npm test`: makes sure of a browser, runs every project, and ends with `N passed, N failed, N skipped` whatever
// happens. A full run (no arguments) also fails when the browser ran nothing. Arguments go to vitest.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureChromium } from './ensure-chromium.js'
import { closing } from './plain-reporter.js'

const args = process.argv.slice(2)
const root = fileURLToPath(new URL('..', import.meta.url))
const nothing = { passed: 0, failed: 0, skipped: 0 }

/** @returns {Promise<number>} */
const vitest = (env) =>
  new Promise((resolve) => {
    const child = spawn(
      process.execPath,
      [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', root, ...args],
      { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } },
    )
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
    child.on('error', (error) => {
      console.error(error)
      resolve(1)
    })
    child.on('exit', (code) => resolve(code ?? 1))
  })

/** @returns {Promise<{ node: object, chromium: object, unhandled: number }>} */
async function runAll() {
  const browser = await ensureChromium()
  if (!browser) return { node: nothing, chromium: { ...nothing, failed: 1 }, unhandled: 0 }
  const directory = mkdtempSync(join(tmpdir(), 'tapeflow-test-'))
  const file = join(directory, 'counts.json')
  const code = await vitest({ TAPEFLOW_COUNTS: file, CHROMIUM_PATH: browser })
  let counts = { node: nothing, chromium: nothing, unhandled: 0 }
  try {
    counts = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    console.error('npm test: vitest ended before it could report')
  }
  rmSync(directory, { recursive: true })
  const failed = counts.node.failed + counts.chromium.failed + counts.unhandled
  if (code !== 0 && failed === 0) {
    console.error(`npm test: vitest ended with exit code ${code}`)
    counts.unhandled = 1
  }
  const { passed, skipped } = counts.chromium
  if (args.length === 0 && passed + skipped + counts.chromium.failed === 0) {
    console.error('npm test: no test ran in the browser')
    counts.unhandled++
  }
  return counts
}

const counts = await runAll()
const lines = closing(counts)
console.log(`\n${lines.join('\n')}`)
process.exitCode = counts.node.failed + counts.chromium.failed + counts.unhandled ? 1 : 0
