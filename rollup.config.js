// One config for every published package: `rollup -c ../../rollup.config.js` inside it (turbo), `rollup -c` at the
// root for all. The entries are what package.json's exports name under '@tapeflow/source'.
import { readFileSync, rmSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import esbuild from 'rollup-plugin-esbuild'
import ts from 'typescript'
import { filesBelow, published } from './scripts/workspaces.js'

const root = dirname(fileURLToPath(import.meta.url))
const cwd = process.cwd()
/**
 * Marks the calls that initialise module-level constants as pure, those nested in object and array literals too:
 * bundlers cannot see that `binary({ … })` or `binaryErrors('add', add)` only makes a value, and would keep every
 * operation with its test information otherwise.
 */
const pureInitialisers = {
  name: 'pure-initialisers',
  renderChunk(code) {
    const positions = []
    const visit = (node) => {
      if (node === null || typeof node !== 'object') return
      if (Array.isArray(node)) return node.forEach(visit)
      // What a function does when it is called later is no matter of initialisation.
      if (/Function|ClassBody/.test(node.type ?? '')) return
      if (node.type === 'CallExpression' || node.type === 'NewExpression') positions.push(node.start)
      for (const child of Object.values(node)) visit(child)
    }
    for (const statement of this.parse(code).body) {
      const declaration = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement
      if (declaration?.type !== 'VariableDeclaration' || declaration.kind !== 'const') continue
      for (const { init } of declaration.declarations) visit(init)
    }
    if (positions.length === 0) return null
    let marked = code
    for (const position of [...new Set(positions)].sort((a, b) => b - a)) {
      // On the same line, so that the source map's lines stay right.
      if (!/PURE__ ?\*\/\s*$/.test(code.slice(0, position))) {
        marked = `${marked.slice(0, position)}/*@__PURE__*/ ${marked.slice(position)}`
      }
    }
    return { code: marked, map: null }
  },
}

/**
 * Writes a declaration file beside each module. isolatedDeclarations makes that a matter of one file at a time: whether
 * the types agree is for `npm run typecheck` to say.
 */
const declarations = (directory) => ({
  name: 'declarations',
  generateBundle() {
    const compilerOptions = {
      target: ts.ScriptTarget.ES2022,
      isolatedDeclarations: true,
      declaration: true,
      declarationMap: true,
    }
    for (const file of filesBelow(relative(root, join(directory, 'src')), (path) => path.endsWith('.ts'))) {
      const name = relative(join(directory, 'src'), join(root, file)).replace(/\.ts$/, '.d.ts')
      const { outputText, sourceMapText, diagnostics } = ts.transpileDeclaration(
        readFileSync(join(root, file), 'utf8'),
        { fileName: basename(file), compilerOptions, reportDiagnostics: true },
      )
      if (diagnostics?.[0])
        this.error(`${file}: ${ts.flattenDiagnosticMessageText(diagnostics[0].messageText, ' ')}`)
      const up = '../'.repeat(name.split('/').length)
      const map = { ...JSON.parse(sourceMapText), sources: [`${up}src/${name.replace(/\.d\.ts$/, '.ts')}`] }
      const source = outputText.replace(/((?:from|import)\s*\(?\s*['"]\.{1,2}\/[^'"]*)\.ts(['"])/g, '$1.js$2')
      this.emitFile({ type: 'asset', fileName: name, source })
      this.emitFile({ type: 'asset', fileName: `${name}.map`, source: JSON.stringify(map) })
    }
  },
})

const one = ({ directory, manifest }) => {
  const input = {}
  for (const [subpath, target] of Object.entries(manifest.exports ?? {})) {
    const from = target['@tapeflow/source']
    if (!from) continue
    const name = relative('src', from).replace(/\.ts$/, '')
    if (target.default !== `./dist/${name}.js` || target.types !== `./dist/${name}.d.ts`) {
      throw new Error(
        `${manifest.name}: exports["${subpath}"] is built to dist/${name}.js and dist/${name}.d.ts; name these`,
      )
    }
    input[name] = join(directory, from)
  }
  if (Object.keys(input).length === 0) throw new Error(`${manifest.name}: package.json exports no source`)
  const names = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })
  const external = (id) =>
    id.startsWith('node:') || names.some((name) => id === name || id.startsWith(`${name}/`))
  // What is left of sources that are gone would be published.
  rmSync(join(directory, 'dist'), { recursive: true, force: true })
  // An import that resolves to nothing must fail here, not in the user's bundle.
  const onwarn = (warning) => {
    throw Object.assign(new Error(warning.message), { code: warning.code })
  }
  return {
    input,
    external,
    onwarn,
    plugins: [
      esbuild({ target: 'es2022', tsconfig: join(directory, 'tsconfig.json') }),
      pureInitialisers,
      declarations(directory),
    ],
    output: {
      dir: join(directory, 'dist'),
      format: 'es',
      sourcemap: true,
      // The sources are in the package.
      sourcemapExcludeSources: true,
      preserveModules: true,
      preserveModulesRoot: join(directory, 'src'),
    },
  }
}

const chosen = published().filter(({ directory }) => cwd === root || cwd === directory)
if (chosen.length === 0) throw new Error(`rollup: ${basename(cwd)} is not a published package`)
export default chosen.map(one)
