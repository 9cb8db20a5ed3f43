// `npm run ok -- docs`: every public function has a doc comment with an example, and every example is executed.
//
// Public is what a package's exports lead to. An example stands under `@example` in a doc comment, or in a ```ts block
// of a README.md or of docs/*.md (```ts continued goes on where the block before ended; a ```text or ```mermaid block right
// behind says what it prints). It says what comes out:
//
//   t.add(1, 2).item()            // => 3            a JavaScript value; what does not evaluate is compared as text
//   const y = t.exp(x)            // => [1, 2.718]   tensors as arrays; numbers as float32, or to the 3 or more decimals
//   t.matmul(a, a)                // throws RangeError: matmul: inner sizes differ
//
// or with `assert` of node:assert/strict or vitest's `expect`. In a doc comment these are there without an import: `t`,
// the exports of the file and of the packages, in train those of rxjs, in property-tests `fc`; and a last paragraph that
// is prose is none of the example. A block of a README imports what it uses.
//
// Arguments narrow the check to paths: `node scripts/check-docs.mjs optim`.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import * as rxjs from 'rxjs'
import ts from 'typescript'
import { defaultServerConditions } from 'vite'
import { startVitest } from 'vitest/node'
import { examplesOfMarkdown, examplesOfSource, parse, withoutProse } from './doc-examples.js'
import { filesBelow, published, root } from './workspaces.js'

const only = process.argv.slice(2)
const scratch = join(root, '.docs-check')
const problems = []
const config = ts.readConfigFile(join(root, 'tsconfig.base.json'), ts.sys.readFile).config
const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root)

/** Entries of the published packages: path -> what an importer writes. */
const entries = new Map(
  published().flatMap(({ directory, manifest }) =>
    Object.entries(manifest.exports)
      .filter(([, target]) => target['@tapeflow/source'])
      .map(([subpath, target]) => [
        join(directory, target['@tapeflow/source']),
        `${manifest.name}${subpath.slice(1)}`,
      ])
      .filter(([path]) => existsSync(path)),
  ),
)
const program = ts.createProgram([...entries.keys()], { ...options, noEmit: true })
const checker = program.getTypeChecker()

/** Names of values that an entry exports -> the symbols behind them. */
function exportsOf(path) {
  const module = checker.getSymbolAtLocation(program.getSourceFile(path))
  if (!module) return new Map()
  return new Map(
    checker
      .getExportsOfModule(module)
      .map((symbol) => [
        symbol.name,
        symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol,
      ])
      .filter(([, symbol]) => symbol.flags & ts.SymbolFlags.Value),
  )
}

function requireExamples() {
  const seen = new Set()
  for (const [path, specifier] of entries) {
    for (const [name, symbol] of exportsOf(path)) {
      const declaration = symbol.valueDeclaration
      if (!declaration || seen.has(symbol)) continue
      seen.add(symbol)
      const where = relative(root, declaration.getSourceFile().fileName)
      if (where.startsWith('..') || where.includes('node_modules') || !isWanted(where)) continue
      if (checker.getTypeOfSymbol(symbol).getCallSignatures().length === 0) continue
      const line = declaration.getSourceFile().getLineAndCharacterOfPosition(declaration.getStart()).line + 1
      const doc = ts.displayPartsToString(symbol.getDocumentationComment(checker))
      const tags = symbol.getJsDocTags(checker).map((tag) => tag.name)
      if (!doc.trim()) problems.push(`${where}:${line}: ${name} of ${specifier} has no doc comment`)
      else if (!tags.includes('example'))
        problems.push(`${where}:${line}: ${name} of ${specifier} has no @example`)
    }
  }
}

const isWanted = (path) => only.length === 0 || only.some((part) => path.includes(part))

/** What a package's peers give to its examples. */
const peerModules = {
  rxjs: { specifier: 'rxjs', names: new Set(Object.keys(rxjs)) },
  'fast-check': { specifier: 'fast-check', names: new Set(['fc']), isDefault: true },
}

/** Where the names that an example does not import come from: its file and what that imports, its package, the others, its peers. */
function providers(path) {
  const own = published().find((workspace) => path.startsWith(`${workspace.path}/`))
  const rank = (specifier) => {
    if (specifier === own.manifest.name || specifier.startsWith(`${own.manifest.name}/`)) return 0
    return specifier.startsWith('@tapeflow/autodiff') ? 2 : 1
  }
  const text = readFileSync(join(root, path), 'utf8')
  const names = [...text.matchAll(/^export (?:async )?(?:function|const|class) (\w+)/gm)]
  const imported = [...text.matchAll(/^import \{([^}]*)\} from '(\.[^']*)'/gm)].map(([, list, from]) => ({
    specifier: join(root, dirname(path), from),
    names: new Set(list.split(',').map((name) => name.trim())),
  }))
  const peers = Object.keys(own.manifest.peerDependencies ?? {}).map((name) => peerModules[name])
  return [
    { specifier: join(root, path), names: new Set(names.map(([, name]) => name)) },
    ...imported,
    ...[...entries]
      .sort(([, a], [, b]) => rank(a) - rank(b))
      .map(([entry, specifier]) => ({ specifier, names: exportsOf(entry) })),
    ...peers,
  ]
}

/** The body of an example as a body of an async function that asserts what the comments say. */
function executable(example, path) {
  const isSource = path.endsWith('.ts')
  const code = isSource ? withoutProse(example.code) : example.code
  const file = parse(code)
  const edits = []
  const used = new Set()
  const declared = new Set(['t', 'expect', 'assert'])
  let assertions = /\bexpect\(|\bassert/.test(code) ? 1 : 0
  const visit = (node) => {
    if (ts.isImportDeclaration(node)) {
      edits.push([node.getStart(), node.end, dynamicImport(node, declared, path)])
      return
    }
    if (ts.isIdentifier(node)) {
      const { parent } = node
      const isDeclared =
        (ts.isVariableDeclaration(parent) ||
          ts.isParameter(parent) ||
          ts.isBindingElement(parent) ||
          ts.isFunctionDeclaration(parent) ||
          ts.isClassDeclaration(parent)) &&
        parent.name === node
      const isMember =
        (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
        (ts.isPropertyAssignment(parent) && parent.name === node) ||
        ts.isTypeReferenceNode(parent)
      if (isDeclared) declared.add(node.text)
      else if (!isMember) used.add(node.text)
    }
    if (ts.isExpressionStatement(node) || ts.isVariableStatement(node)) {
      const [comment] = ts.getTrailingCommentRanges(code, node.end) ?? []
      const said = comment && code.slice(comment.pos, comment.end)
      const value = /^\/\/ => (.*)$/.exec(said ?? '')?.[1]?.trim()
      const error = /^\/\/ throws (.*)$/.exec(said ?? '')?.[1]?.trim()
      if (value !== undefined) {
        assertions++
        const parsed = ts.createSourceFile('value.ts', `(${value})`, ts.ScriptTarget.ESNext)
        const args = `${JSON.stringify(value)}, ${parsed.parseDiagnostics.length ? 'undefined' : `() => (${value})`}`
        if (ts.isExpressionStatement(node)) {
          edits.push([node.getStart(), node.getStart(), '__same('])
          edits.push([node.expression.end, node.end, `, ${args});`])
        } else {
          const name = node.declarationList.declarations.at(-1).name.getText()
          edits.push([node.end, node.end, `; __same(${name}, ${args});`])
        }
      } else if (error !== undefined) {
        assertions++
        edits.push([node.getStart(), node.getStart(), 'await __throws(async () => { '])
        edits.push([node.end, node.end, ` }, ${JSON.stringify(error)});`])
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  let body = code
  for (const [start, end, text] of edits.sort(([a, x], [b, y]) => b - a || y - x)) {
    body = body.slice(0, start) + text + body.slice(end)
  }
  const from = isSource ? providers(path) : []
  const imports = new Map()
  for (const name of used) {
    if (declared.has(name)) continue
    const found = from.find(({ names }) => names.has(name))
    const binding = found?.isDefault ? `default: ${name}` : name
    if (found) imports.set(found.specifier, [...(imports.get(found.specifier) ?? []), binding])
  }
  const lines = [...imports].map(
    ([specifier, names]) => `const { ${names.join(', ')} } = await import('${specifier}');`,
  )
  if (example.prints !== undefined)
    body = `await __prints(async () => {\n${body}\n}, ${JSON.stringify(example.prints)})`
  return { body: `${lines.join(' ')}\n${body}`, assertions }
}

/** `import { a as b } from 'x'` inside of a function. */
function dynamicImport(node, declared, path) {
  const clause = node.importClause
  const { text } = node.moduleSpecifier
  const from = `await import(${JSON.stringify(text.startsWith('.') ? join(root, dirname(path), text) : text)});`
  if (!clause) return from
  if (clause.isTypeOnly) return ''
  const parts = []
  if (clause.name) parts.push(`default: ${clause.name.text}`)
  const named = clause.namedBindings
  if (clause.name) declared.add(clause.name.text)
  if (named && ts.isNamespaceImport(named)) {
    declared.add(named.name.text)
    return `const ${named.name.text} = ${from}`
  }
  for (const element of named?.elements ?? []) {
    if (element.isTypeOnly) continue
    declared.add(element.name.text)
    parts.push(
      element.propertyName ? `${element.propertyName.text}: ${element.name.text}` : element.name.text,
    )
  }
  return `const { ${parts.join(', ')} } = ${from}`
}

requireExamples()
const sources = published().flatMap(({ path }) =>
  filesBelow(`${path}/src`, (file) => file.endsWith('.ts') && !file.includes('/generated/')),
)
const documents = [
  ...['.', ...published().map(({ path }) => path)].map((path) => `${path}/README.md`.replace(/^\.\//, '')),
  ...(existsSync(join(root, 'docs')) ? readdirSync(join(root, 'docs')) : [])
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
].filter((path) => existsSync(join(root, path)))

rmSync(scratch, { recursive: true, force: true })
mkdirSync(scratch)
let count = 0
for (const path of [...sources, ...documents].filter(isWanted)) {
  const text = readFileSync(join(root, path), 'utf8')
  const isSource = path.endsWith('.ts')
  const tests = []
  for (const example of isSource ? examplesOfSource(text) : examplesOfMarkdown(text)) {
    const where = `${path}:${example.line}`
    try {
      const { body, assertions } = executable(example, path)
      if (example.mustAssert && assertions === 0) {
        problems.push(
          `${where}: the example of ${example.title} asserts nothing; write \`// => value\` behind a line`,
        )
      }
      tests.push(`test(${JSON.stringify(`${example.title} (${where})`)}, async () => {\n${body}\n})\n`)
      count++
    } catch (error) {
      problems.push(`${where}: the example does not parse: ${error instanceof Error ? error.message : error}`)
    }
  }
  if (tests.length === 0) continue
  const head = [
    "import assert from 'node:assert/strict'",
    "import { expect, test } from 'vitest'",
    "import { prints as __prints, same as __same, throws as __throws } from '../scripts/doc-assertions.js'",
    ...(isSource ? ["import * as t from '@tapeflow/autodiff'"] : []),
  ]
  writeFileSync(
    join(scratch, `${path.replaceAll('/', '~')}.test.ts`),
    `${head.join('\n')}\n\n${tests.join('\n')}`,
  )
}

let failed = 0
if (count > 0) {
  const vitest = await startVitest(
    'test',
    [],
    {
      root: scratch,
      config: false,
      include: ['*.test.ts'],
      watch: false,
      // Examples do not disturb each other, and one copy of the packages for all is much faster.
      isolate: false,
      testTimeout: 60_000,
      reporters: [{}],
    },
    {
      resolve: { conditions: ['@tapeflow/source', ...defaultServerConditions] },
      ssr: { resolve: { conditions: ['@tapeflow/source', ...defaultServerConditions] } },
    },
  )
  for (const module of vitest.state.getTestModules()) {
    for (const error of module.errors()) {
      failed++
      problems.push(`${module.moduleId}: ${error.message}`)
    }
    for (const test of module.children.allTests()) {
      if (test.result().state === 'passed') continue
      failed++
      problems.push(`${test.name}: ${test.result().errors?.[0]?.message ?? test.result().state}`)
    }
  }
  for (const error of vitest.state.getUnhandledErrors()) {
    failed++
    problems.push(`outside of an example: ${error instanceof Error ? error.stack : JSON.stringify(error)}`)
  }
  await vitest.close()
}
rmSync(scratch, { recursive: true, force: true })
for (const problem of problems) console.error(problem)
console.log(`${count} examples executed, ${failed} failed, ${problems.length} problems`)
process.exit(problems.length ? 1 : 0)
