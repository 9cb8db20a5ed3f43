// `npm run ok`: every house rule, two at a time, one line each; exits 1 when one is broken.
//
//   npm run ok                      everything, the tests too
//   npm run ok -- --without-tests   what CI runs after `npm test`
//   npm run ok -- format docs       the rules named, and what they need
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { root, workspaces } from './workspaces.js'

/** @typedef {{ name: string, says: string, commands: string[][], needs?: string[], alone?: boolean }} Rule */

const node = (script, ...args) => [process.execPath, join(root, 'scripts', script), ...args]
const bin = (name, ...args) => [join(root, 'node_modules/.bin', name), ...args]
const code = ['packages', 'property-tests', 'examples', 'benchmarks']

/** @type {Rule[]} */
const rules = [
  {
    name: 'build',
    says: 'every package builds',
    commands: [bin('turbo', 'run', 'build', '--concurrency=1', '--output-logs=errors-only')],
  },
  {
    name: 'types',
    says: 'every workspace type-checks',
    commands: workspaces().map(({ path }) => bin('tsc', '-p', join(path, 'tsconfig.json'), '--noEmit')),
  },
  {
    name: 'format',
    says: 'biome: format and lint',
    commands: [bin('biome', 'check', '--error-on-warnings', '.')],
  },
  {
    name: 'lint',
    says: 'oxlint, type-aware',
    commands: [bin('oxlint', '--type-aware', '--deny-warnings', ...code)],
  },
  {
    name: 'arrows',
    says: 'imports point down, values in no cycle',
    commands: [
      bin(
        'depcruise',
        ...workspaces().map(({ path }) => path),
        '--config',
        '.dependency-cruiser.cjs',
        '--output-type',
        'err-long',
      ),
    ],
  },
  {
    name: 'unused',
    says: 'knip: no unused file, export, dependency',
    commands: [bin('knip', '--no-config-hints')],
  },
  {
    name: 'files',
    says: 'file sizes and names; no test skipped',
    commands: [node('check-files.js')],
  },
  { name: 'lock', says: 'package-lock.json is complete', commands: [node('check-lock.mjs')] },
  {
    name: 'generated',
    says: 'indexes, tables and pages from the sources are current',
    commands: [
      node('generate.js', '--check'),
      node('catalogue-page.js', '--check'),
      ...['operations-page.ts', 'laws-page.ts', 'schedules-picture.ts'].map((page) => [
        process.execPath,
        '--conditions=@tapeflow/source',
        '--import',
        'tsx',
        join(root, 'scripts', page),
        '--check',
      ]),
    ],
  },
  { name: 'wasm', says: 'WebAssembly is current', commands: [node('build-wasm.js', '--check')] },
  { name: 'digits', says: 'digits are current', commands: [node('repack-digits.js', '--check')] },
  { name: 'tables', says: 'iris and penguins are current', commands: [node('repack-tables.js', '--check')] },
  {
    name: 'packages',
    says: 'publint and attw',
    needs: ['build'],
    commands: [node('check-packages.js')],
  },
  { name: 'sizes', says: 'bundles are small enough', needs: ['build'], commands: [bin('size-limit')] },
  {
    name: 'smoke',
    says: 'packed packages run in Node and Chromium; bundles hold nothing else',
    needs: ['build'],
    commands: [node('smoke-pack.mjs')],
  },
  {
    name: 'mutants',
    says: 'the grammar of faults writes what it says, and it parses',
    commands: [node('check-mutants.js')],
  },
  { name: 'docs', says: 'examples exist and hold', commands: [node('check-docs.mjs')] },
  {
    name: 'operation',
    says: 'adding one operation is adding one file',
    commands: [node('check-new-operation.mjs')],
  },
  { name: 'tests', says: 'the suite, in Node and Chromium', alone: true, commands: [node('test.js')] },
]

const args = process.argv.slice(2)
const named = args.filter((arg) => !arg.startsWith('--'))
const unknown = [
  ...args.filter((arg) => arg.startsWith('--') && arg !== '--without-tests'),
  ...named.filter((name) => !rules.some((rule) => rule.name === name)),
]
if (unknown.length) {
  console.error(
    `ok: no such rule, got ${unknown.join(' ')}; there are ${rules.map(({ name }) => name).join(' ')}`,
  )
  process.exit(2)
}
const isWanted = (rule) =>
  named.length
    ? named.includes(rule.name) ||
      named.some((n) => rules.find((r) => r.name === n)?.needs?.includes(rule.name))
    : !(args.includes('--without-tests') && rule.name === 'tests')
const waiting = rules.filter(isWanted)
const width = Math.max(...waiting.map(({ name }) => name.length))

/** @returns {Promise<{ ok: boolean, output: string }>} */
const run = ([command, ...rest]) =>
  new Promise((resolve) => {
    const child = spawn(command, rest, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (data) => (output += data))
    child.stderr.on('data', (data) => (output += data))
    child.on('error', (error) => resolve({ ok: false, output: String(error) }))
    child.on('close', (status) => resolve({ ok: status === 0, output }))
  })

const state = new Map()
async function check(rule) {
  state.set(rule.name, 'running')
  const start = performance.now()
  const broken = rule.needs?.filter((name) => state.get(name) === 'failed') ?? []
  let outcome = { ok: broken.length === 0, output: broken.map((name) => `needs ${name}\n`).join('') }
  for (const command of outcome.ok ? rule.commands : []) {
    const { ok, output } = await run(command)
    outcome = { ok: outcome.ok && ok, output: outcome.output + output }
  }
  state.set(rule.name, outcome.ok ? 'passed' : 'failed')
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  console.log(`${outcome.ok ? 'ok  ' : 'FAIL'}  ${rule.name.padEnd(width)}  ${rule.says} (${seconds} s)`)
  if (!outcome.ok) console.log(outcome.output.replace(/^/gm, '      '))
}

const lanes = Math.min(2, availableParallelism())
const start = performance.now()
let running = 0
await new Promise((resolve) => {
  const next = () => {
    if (waiting.length === 0 && running === 0) return resolve()
    while (running < lanes) {
      const index = waiting.findIndex((rule) =>
        rule.alone
          ? waiting.length === 1 && running === 0
          : (rule.needs ?? []).every((name) => state.get(name) === 'passed' || state.get(name) === 'failed'),
      )
      if (index < 0) return
      const [rule] = waiting.splice(index, 1)
      running++
      check(rule).then(() => {
        running--
        next()
      })
    }
  }
  next()
})
const failed = [...state].filter(([, outcome]) => outcome === 'failed').map(([name]) => name)
const seconds = ((performance.now() - start) / 1000).toFixed(0)
console.log(
  failed.length
    ? `${failed.length} of ${state.size} rules broken: ${failed.join(', ')} (${seconds} s)`
    : `all ${state.size} rules hold (${seconds} s)`,
)
process.exit(failed.length ? 1 : 0)
