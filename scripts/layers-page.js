// Writes docs/layers.md: a row for each layer, combinator, loss, initialiser, metric and the like that @tapeflow/nn exports, from
// the first sentence of its doc comment, what it returns, and the paper. `--check` writes nothing and exits 1 where it is stale.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { root } from './workspaces.js'

const source = join(root, 'packages/nn/src')
const page = join(root, 'docs/layers.md')

const sections = [
  ['layers', 'Layers'],
  ['combine', 'Combinators'],
  ['losses', 'Losses'],
  ['initializers', 'Initialisers'],
  ['regularizers', 'Regularisers'],
  ['constraints', 'Constraints'],
  ['metrics', 'Metrics'],
  ['inspect', 'Introspection'],
  ['perceptron.ts', 'Perceptrons'],
  ['files', 'Files: `@tapeflow/nn`, `@tapeflow/nn/model`, `@tapeflow/nn/npz`'],
  ['node', 'Files in Node: `@tapeflow/nn/node`'],
  ['browser', 'Files in browsers: `@tapeflow/nn/browser`'],
]

/** Names that the package's entries export as values. */
function exported() {
  const entries = readdirSync(source).filter((name) => name.endsWith('.ts'))
  const lists = entries.map((name) => readFileSync(join(source, name), 'utf8')).join('\n')
  const names = [...lists.matchAll(/export \{([^}]*)\}/g)].flatMap(([, list]) => list.split(','))
  return new Set(names.map((name) => name.trim()).filter((name) => name !== '' && !name.startsWith('type ')))
}

/** The doc comments of a file's exported functions and constants, by name; of overloads the first. */
function documented(path) {
  const text = readFileSync(path, 'utf8')
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext)
  const found = new Map()
  for (const statement of file.statements) {
    const names = ts.isVariableStatement(statement)
      ? statement.declarationList.declarations.map(({ name }) => name.text)
      : ts.isFunctionDeclaration(statement) && statement.name
        ? [statement.name.text]
        : []
    const comment = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*$/.exec(
      text.slice(statement.getFullStart(), statement.getStart(file)),
    )
    if (comment === null) continue
    const lines = comment[1].split('\n').map((line) => line.replace(/^\s*\*? ?/, ''))
    for (const name of names) if (!found.has(name)) found.set(name, lines.join('\n').trim())
  }
  return found
}

const oneLine = (text) => text.replace(/\s+/g, ' ').trim().replaceAll('|', '\\|')

/** The first sentence: what comes out. */
function saysFirst(doc) {
  const [paragraph] = doc.split(/\n\s*\n|\n@/)
  const text = oneLine(paragraph)
  return /^(.*?[.:])(?= [A-Z`]|$)/.exec(text)?.[1].replace(/:$/, '.') ?? text
}

const returned = (doc) => oneLine(/(?:^|\n)@returns ([\s\S]*?)(?=\n\s*\n|\n@|$)/.exec(doc)?.[1] ?? '')

/** Paragraphs without a tag behind the last example: they end with a year or a conference. */
function papers(doc) {
  const paragraphs = doc.split(/\n\s*\n/).filter((text) => !text.startsWith('@'))
  return oneLine(
    paragraphs
      .filter((text) => /\b(?:18|19|20)\d\d\b/.test(text) && /^[A-Z][\w’'-]+.*?[:,&(]/.test(text))
      .slice(-1)[0] ?? '',
  )
}

const wanted = exported()
let count = 0
const tables = sections.flatMap(([place, title]) => {
  const at = join(source, place)
  if (!existsSync(at)) return []
  const files = place.endsWith('.ts') ? [at] : readdirSync(at).map((name) => join(at, name))
  const rows = files
    .filter((path) => path.endsWith('.ts'))
    .sort()
    .flatMap((path) => [...documented(path)])
    .filter(([name]) => wanted.has(name))
    .map(([name, doc]) => `| \`${name}\` | ${saysFirst(doc)} | ${returned(doc)} | ${papers(doc)} |`)
  if (rows.length === 0) return []
  count += rows.length
  return [
    `## ${title}\n\n| name | what it is | returns | source |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`,
  ]
})
const text = `# Layers, losses, metrics

What \`@tapeflow/nn\` exports, from its doc comments (\`npm run generate\` renews this page); formulas, shapes, defaults and errors stand there,
with an example that is executed. Every layer is a row of the laws in \`property-tests/test/nn\`: shapes, definition in float64, first and
second derivatives, compiled as eager, rows, \`vmap\`, memory, keys, files.

${tables.join('\n')}`

if (!process.argv.includes('--check')) {
  writeFileSync(page, text)
  console.log(`docs/layers.md: ${count} rows`)
} else if (!existsSync(page) || readFileSync(page, 'utf8') !== text) {
  console.error('docs/layers.md is not current; run `npm run generate`')
  process.exitCode = 1
}
