// One config for every published package: `rollup -c ../../rollup.config.js` inside it (turbo), `rollup -c` at the
// root for all. The entries are what package.json's exports name under '@tapeflow/source'.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import esbuild from 'rollup-plugin-esbuild'
import { published } from './scripts/workspaces.js'

const root = dirname(fileURLToPath(import.meta.url))
const cwd = process.cwd()
/** The value of arithmetic on numbers that are written out; undefined where there is something else in it. */
function numberIn(node) {
  if (node.type === 'Literal' && typeof node.value === 'number') return node.value
  if (node.type === 'UnaryExpression' && node.operator === '-') {
    const value = numberIn(node.argument)
    return value === undefined ? undefined : -value
  }
  if (node.type !== 'BinaryExpression') return undefined
  const [a, b] = [numberIn(node.left), numberIn(node.right)]
  if (a === undefined || b === undefined) return undefined
  const results = { '+': a + b, '-': a - b, '*': a * b, '/': a / b, '**': a ** b, '<<': a << b }
  return results[node.operator]
}

/**
 * Marks what initialises module-level constants as pure: calls, also those nested in literals, literals that spread, and
 * arithmetic, which is worked out where it can be. Bundlers cannot see that `binary({ … })`, `[...unaryErrors('add', add)]` or
 * `1 / 6` only makes a value, and would keep every operation with its test information otherwise.
 */
const pureInitialisers = {
  name: 'pure-initialisers',
  renderChunk(code) {
    /** @type {[from: number, to: number, text: string][]} */
    const edits = []
    const mark = (at) => {
      if (!/PURE__ ?\*\/\s*$/.test(code.slice(0, at))) edits.push([at, at, '/*@__PURE__*/ '])
    }
    let isUnclear = false
    const visit = (node) => {
      if (node === null || typeof node !== 'object') return
      if (Array.isArray(node)) return node.forEach(visit)
      // What a function does when it is called later is no matter of initialisation.
      if (/Function|ClassBody/.test(node.type ?? '')) return
      if (node.type === 'CallExpression' || node.type === 'NewExpression') mark(node.start)
      if (node.type === 'SpreadElement') isUnclear = true
      if (node.type === 'BinaryExpression' && !/^[=!]==?$/.test(node.operator)) {
        const value = numberIn(node)
        if (Number.isFinite(value)) {
          edits.push([node.start, node.end, value < 0 ? `(${value})` : `${value}`])
          return
        }
        isUnclear = true
      }
      for (const child of Object.values(node)) visit(child)
    }
    for (const statement of this.parse(code).body) {
      const declaration = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement
      if (declaration?.type !== 'VariableDeclaration' || declaration.kind !== 'const') continue
      for (const { init } of declaration.declarations) {
        isUnclear = false
        visit(init)
        if (isUnclear)
          edits.push([init.start, init.start, '/*@__PURE__*/ (() => ('], [init.end, init.end, '))()'])
      }
    }
    if (edits.length === 0) return null
    let marked = code
    for (const [from, to, text] of edits.sort(([a], [b]) => b - a)) {
      marked = marked.slice(0, from) + text + marked.slice(to)
    }
    // No line moves, so that the source map's lines stay right.
    return { code: marked, map: null }
  },
}

/**
 * Builds what `new URL('./x.ts', import.meta.url)` names, a worker's script, as an entry of its own, and names what was built: written
 * out, as bundlers look for it.
 */
const workerEntries = (directory) => ({
  name: 'worker-entries',
  transform(code, id) {
    if (!code.includes('import.meta.url')) return null
    /** @type {{ start: number, end: number, path: string }[]} */
    const found = []
    const visit = (node) => {
      if (node === null || typeof node !== 'object') return
      if (Array.isArray(node)) return node.forEach(visit)
      const [path, base] = node.arguments ?? []
      const isUrl = node.type === 'NewExpression' && node.callee.name === 'URL'
      if (isUrl && base?.object?.type === 'MetaProperty' && /^\..*\.ts$/.test(path.value)) {
        found.push({ start: node.start, end: node.end, path: path.value })
      }
      for (const child of Object.values(node)) visit(child)
    }
    visit(this.parse(code).body)
    let written = code
    for (const { start, end, path } of found.sort((a, b) => b.start - a.start)) {
      const from = join(dirname(id), path)
      const fileName = relative(join(directory, 'src'), from).replace(/\.ts$/, '.js')
      const built = this.emitFile({ type: 'chunk', id: from, fileName })
      written = `${written.slice(0, start)}import.meta.ROLLUP_FILE_URL_${built}${written.slice(end)}`
    }
    return found.length === 0 ? null : { code: written, map: null }
  },
  resolveFileUrl: ({ relativePath }) => `new URL('./${relativePath}', import.meta.url)`,
})

/** Writes a declaration file beside each module, with the types of packages below as their installers see them. */
const declarations = (directory) => ({
  name: 'declarations',
  writeBundle({ dir }) {
    const project = join(dir, 'tsconfig.json')
    const compilerOptions = {
      noEmit: false,
      emitDeclarationOnly: true,
      declarationMap: true,
      customConditions: [],
      rootDir: join(directory, 'src'),
      outDir: dir,
    }
    const extended = join(directory, 'tsconfig.json')
    writeFileSync(
      project,
      JSON.stringify({ extends: extended, include: [join(directory, 'src')], compilerOptions }),
    )
    const tsc = join(root, 'node_modules/.bin/tsc')
    const { status, stdout, error } = spawnSync(tsc, ['-p', project], { encoding: 'utf8' })
    rmSync(project)
    if (status !== 0) this.error(`declarations of ${directory}: ${error ?? stdout}`)
    // Declarations are emitted with the .ts of the sources; an installer has .js, beside which stands the .d.ts.
    for (const path of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
      if (!path.endsWith('.d.ts')) continue
      const text = readFileSync(join(dir, path), 'utf8')
      writeFileSync(
        join(dir, path),
        text.replace(/((?:from|import)\s*\(?\s*['"]\.{1,2}\/[^'"]*)\.ts(['"])/g, '$1.js$2'),
      )
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
      workerEntries(directory),
      pureInitialisers,
      declarations(directory),
    ],
    output: {
      dir: join(directory, 'dist'),
      format: 'es',
      sourcemap: true,
      // The sources are in the package.
      sourcemapExcludeSources: true,
      // One file an entry, beside what entries share: Node takes five times as long to load a file for each module. Bundlers drop
      // what is not used from within a file; only data stays apart.
      chunkFileNames: 'shared/[name].js',
      // An import of nothing, which only hurries a chunk's own, makes bundlers warn.
      hoistTransitiveImports: false,
      // What starts a worker does too: bundlers build the worker of a file that they look into, whether it is started or not.
      onlyExplicitManualChunks: true,
      manualChunks: (id) =>
        /\/(?:generated\/(digits|iris|penguins)|src\/(fit-in-worker))\.ts$/.exec(id)?.slice(1).find(Boolean),
    },
  }
}

const chosen = published().filter(({ directory }) => cwd === root || cwd === directory)
if (chosen.length === 0) throw new Error(`rollup: ${basename(cwd)} is not a published package`)
export default chosen.map(one)
