// Writes packages/autodiff/src/ops/generated/{index,table}.ts from the files of packages/autodiff/src/ops:
// one file there is one operation (or an adjoint pair), and nothing else has to be edited to add it.
// `--check` writes nothing and exits 1 when the committed files differ.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import ts from 'typescript'
import { root } from './workspaces.js'

const ops = join(root, 'packages/autodiff/src/ops')
const lineWidth = 110

/**
 * Names a source file exports, sorted; values and types apart. What is marked `@internal` is for the engine's own files.
 * @param {string} path
 * @returns {{ values: string[], types: string[] }}
 */
function exportsOf(path) {
  const file = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.ESNext)
  const values = new Set()
  const types = new Set()
  for (const statement of file.statements) {
    if (ts.isExportDeclaration(statement)) {
      if (!statement.exportClause || !ts.isNamedExports(statement.exportClause)) {
        throw new Error(`generate: export * in ${path} hides what it exports; name the exports`)
      }
      for (const element of statement.exportClause.elements) {
        ;(statement.isTypeOnly || element.isTypeOnly ? types : values).add(element.name.text)
      }
      continue
    }
    const exported =
      ts.canHaveModifiers(statement) &&
      ts.getModifiers(statement)?.some((m) => m.kind === ts.SyntaxKind.ExportKeyword)
    const comment = file.text.slice(statement.getFullStart(), statement.getStart(file))
    if (!exported || comment.includes('/** @internal')) continue
    if (ts.isVariableStatement(statement)) {
      for (const { name } of statement.declarationList.declarations) {
        if (ts.isIdentifier(name)) values.add(name.text)
      }
    } else if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) {
      if (statement.name) values.add(statement.name.text)
    } else if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) {
      types.add(statement.name.text)
    }
  }
  return { values: [...values].sort(), types: [...types].sort() }
}

/**
 * `export { a, b } from 'x'` on one line where it fits, else one name a line, as biome formats it.
 * @param {string} keyword
 * @param {string[]} names
 * @param {string} from
 */
function exportLine(keyword, names, from) {
  const line = `${keyword} { ${names.join(', ')} } from '${from}'`
  return line.length <= lineWidth ? line : `${keyword} {\n  ${names.join(',\n  ')},\n} from '${from}'`
}

/** @param {string} file `log-sum-exp.ts` -> `logSumExpInfo` */
const infoName = (file) => `${basename(file, '.ts').replace(/-(\w)/g, (_, c) => c.toUpperCase())}Info`

const header = '// Written by scripts/generate.js from the files of src/ops; do not edit.\n\n'

/** @returns {Record<string, string>} path below ops/generated -> text */
function generate() {
  const files = readdirSync(ops)
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .sort()
  const index = []
  const imports = []
  const rows = []
  const owner = new Map()
  for (const file of files) {
    const { values, types } = exportsOf(join(ops, file))
    const wanted = values.filter((name) => name !== 'info' && !name.endsWith('Operation'))
    for (const name of [...wanted, ...types]) {
      const other = owner.get(name)
      if (other)
        throw new Error(`generate: ${name} is exported by ops/${other} and by ops/${file}; rename one`)
      owner.set(name, file)
    }
    if (types.length) index.push(exportLine('export type', types, `../${file}`))
    if (wanted.length) index.push(exportLine('export', wanted, `../${file}`))
    // A function that is composed of operations has no record, and no row in the tests.
    if (values.includes('info')) {
      imports.push(`import { info as ${infoName(file)} } from '../${file}'`)
      rows.push(`...${infoName(file)}`)
    }
  }
  const oneLine = `export const operations: readonly OperationInfo[] = [${rows.join(', ')}]`
  const table = [
    "import type { OperationInfo } from '../../operation.ts'",
    ...imports,
    '',
    '/** Every operation of the package: the rows of the property tests, of the documentation table and of the benchmarks. */',
    oneLine.length <= lineWidth
      ? oneLine
      : oneLine.replace(/\[(\.{3}.*)\]$/, `[\n  ${rows.join(',\n  ')},\n]`),
  ]
  return { 'index.ts': `${header}${index.join('\n')}\n`, 'table.ts': `${header}${table.join('\n')}\n` }
}

const check = process.argv.includes('--check')
let stale = 0
for (const [name, text] of Object.entries(existsSync(ops) ? generate() : {})) {
  const path = join(ops, 'generated', name)
  const current = existsSync(path) ? readFileSync(path, 'utf8') : undefined
  if (current === text) continue
  if (check) {
    stale++
    console.error(
      `packages/autodiff/src/ops/generated/${name} is not current; run \`node scripts/generate.js\``,
    )
  } else {
    mkdirSync(join(ops, 'generated'), { recursive: true })
    writeFileSync(path, text)
    console.log(`wrote packages/autodiff/src/ops/generated/${name}`)
  }
}
process.exit(stale ? 1 : 0)
