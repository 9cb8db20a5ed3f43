// `npm run ok -- operation`: adding an operation is adding one file. In a copy of the workspace, the fixture gaussian.ts
// is put beside the other operations; the generator must notice and mend, the package must type-check, and the law matrix
// must have tested the new row; with a wrong gradient the row must go red.
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import ts from 'typescript'
import { root, workspaces } from './workspaces.js'

const fixture = join(root, 'property-tests/fixtures/gaussian.ts')
const copy = mkdtempSync(join(tmpdir(), 'tapeflow-operation-'))
const operation = join(copy, 'packages/autodiff/src/ops/gaussian.ts')

/** The sources, and node_modules of links, in which @tapeflow/* lead to the copy. */
function copyWorkspace() {
  const skipped = new Set(['node_modules', 'dist', '.turbo', 'coverage'])
  const filter = (path) => !skipped.has(basename(path))
  for (const { path, directory } of workspaces())
    cpSync(directory, join(copy, path), { recursive: true, filter })
  cpSync(join(root, 'scripts'), join(copy, 'scripts'), { recursive: true })
  for (const file of ['package.json', 'tsconfig.base.json', 'vitest.config.ts'])
    cpSync(join(root, file), join(copy, file))
  mkdirSync(join(copy, 'node_modules/@tapeflow'), { recursive: true })
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (name !== '@tapeflow' && !/^\.(vite|cache|package)/.test(name)) {
      symlinkSync(join(root, 'node_modules', name), join(copy, 'node_modules', name))
    }
  }
  for (const { path, manifest } of workspaces()) {
    symlinkSync(join(copy, path), join(copy, 'node_modules', manifest.name))
    const own = join(root, path, 'node_modules')
    if (existsSync(own)) symlinkSync(own, join(copy, path, 'node_modules'))
  }
}

const run = (command, ...args) => {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: copy, encoding: 'utf8' })
  return { ok: status === 0, output: `${stdout}${stderr}` }
}
const expect = (condition, problem) => {
  if (!condition) throw new Error(problem)
}

/** @returns {{ passed: string[], failed: string[], output: string }} names of the tests of the new row */
function testRow() {
  const file = join(copy, 'results.json')
  rmSync(file, { force: true })
  const { output } = run(
    join(copy, 'node_modules/.bin/vitest'),
    ...['run', '--project', 'property-tests', '-t', 'gaussian', '--reporter', 'json', '--outputFile', file],
  )
  expect(existsSync(file), `the law matrix did not run:\n${output}`)
  const tests = JSON.parse(readFileSync(file, 'utf8'))
    .testResults.flatMap(({ assertionResults }) => assertionResults)
    .filter(({ fullName }) => fullName.includes('gaussian'))
  const named = (status) => tests.filter((test) => test.status === status).map(({ fullName }) => fullName)
  return { passed: named('passed'), failed: named('failed'), output }
}

/** The source with a gradient rule that hands the cotangent on, as if the derivative were 1. */
function withWrongGradient(text) {
  const file = ts.createSourceFile('gaussian.ts', text, ts.ScriptTarget.ESNext, true)
  let broken
  const visit = (node) => {
    if (ts.isArrowFunction(node) && isRule(node)) {
      const cotangent = node.parameters[0].name.getText()
      broken ??= `${text.slice(0, node.body.getStart())}${cotangent}${text.slice(node.body.end)}`
    }
    ts.forEachChild(node, visit)
  }
  // `vjp: (g, …) => …`, or the same in an array.
  const isRule = ({ parent }) =>
    [parent, parent.parent].some((node) => ts.isPropertyAssignment(node) && node.name.getText() === 'vjp')
  visit(file)
  expect(broken, `${fixture} has no rule \`vjp: (g, …) => …\` to break`)
  return broken
}

try {
  expect(existsSync(fixture), `there is no ${fixture}`)
  copyWorkspace()
  const generate = (...args) => run(process.execPath, join(copy, 'scripts/generate.js'), ...args)
  expect(generate('--check').ok, 'the index of operations is not current; run `node scripts/generate.js`')
  cpSync(fixture, operation)
  expect(!generate('--check').ok, '`generate.js --check` did not notice a new operation')
  const { ok: isGenerated, output: generated } = generate()
  expect(isGenerated, generated)
  const { ok: hasTypes, output: types } = run(
    join(copy, 'node_modules/.bin/tsc'),
    ...['-p', 'packages/autodiff/tsconfig.json', '--noEmit'],
  )
  expect(hasTypes, `gaussian does not type-check:\n${types}`)
  const right = testRow()
  expect(right.failed.length === 0, `gaussian fails ${right.failed.join(', ')}\n${right.output}`)
  expect(right.passed.length > 0, `no test is named gaussian:\n${right.output}`)
  writeFileSync(operation, withWrongGradient(readFileSync(fixture, 'utf8')))
  const wrong = testRow()
  expect(wrong.failed.length > 0, `a wrong gradient of gaussian went unnoticed by ${wrong.passed.join(', ')}`)
  console.log(
    `gaussian: ${right.passed.length} laws hold; a wrong gradient breaks ${wrong.failed.length}: ${wrong.failed.join(', ')}`,
  )
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  rmSync(copy, { recursive: true, force: true })
}
