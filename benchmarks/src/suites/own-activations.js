/**
 * The table of our activations (`activations.js`), made in a process of its own.
 *
 * @import { Effort } from '../report.js'
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const script = fileURLToPath(new URL('../activations.js', import.meta.url))

/** @param {Effort} effort */
export async function ownActivations({ rounds, clock, say, append }) {
  say('activations')
  const args = [script, '--rounds', String(rounds), '--clock', clock]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  append(stdout.trim())
}
