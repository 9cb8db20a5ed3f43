import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/**
 * What a program of this folder prints as JSON, run on the sources in a process of its own.
 *
 * @param flags for Node, beside those that sources need
 */
export function printedBy<R>(
  program: string,
  flags: readonly string[],
  ...args: readonly (string | number)[]
): Promise<R> {
  const path = fileURLToPath(new URL(program, import.meta.url))
  const all = [...flags, '--conditions=@tapeflow/source', '--import', 'tsx', path, ...args.map(String)]
  const child = spawn(process.execPath, all, { stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status) =>
      status === 0 ? resolve(JSON.parse(out) as R) : reject(new Error(`status ${status}`)),
    )
  })
}
