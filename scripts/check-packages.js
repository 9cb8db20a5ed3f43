// `npm run check:packages`: what every published package promises to its installers, with publint --strict and with
// "are the types wrong" (ESM only). Needs a build.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { published, root } from './workspaces.js'

/** @returns {Promise<{ ok: boolean, output: string }>} */
const run = (bin, args, cwd) =>
  new Promise((resolve) => {
    const child = spawn(join(root, 'node_modules/.bin', bin), args, { cwd })
    let output = ''
    child.stdout.on('data', (data) => (output += data))
    child.stderr.on('data', (data) => (output += data))
    child.on('close', (code) => resolve({ ok: code === 0, output }))
  })

let bad = 0
for (const { directory, manifest } of published()) {
  const [publint, attw] = await Promise.all([
    run('publint', ['--strict'], directory),
    run('attw', ['--pack', '.', '--profile', 'esm-only', '--format', 'ascii'], directory),
  ])
  for (const [tool, { ok, output }] of Object.entries({ publint, attw })) {
    if (!ok) {
      bad++
      console.error(`${manifest.name}: ${tool}\n${output}`)
    }
  }
  if (publint.ok && attw.ok) console.log(`${manifest.name}: publint and attw find nothing`)
}
process.exit(bad ? 1 : 0)
