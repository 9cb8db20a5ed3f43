// One config for every published package: `rollup -c ../../rollup.config.js` inside it (turbo), `rollup -c` at the
// root for all. The entries are what package.json's exports name under '@tapeflow/source'.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { dts } from 'rollup-plugin-dts'
import esbuild from 'rollup-plugin-esbuild'

const root = dirname(fileURLToPath(import.meta.url))
const cwd = process.cwd()
const published = [...readdirSync(join(root, 'packages')).map((name) => `packages/${name}`), 'property-tests']
  .map((path) => join(root, path))
  .filter((directory) => existsSync(join(directory, 'package.json')))

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

const one = (directory) => {
  const manifest = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
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
  if (Object.keys(input).length === 0) return []
  const names = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })
  const external = (id) =>
    id.startsWith('node:') || names.some((name) => id === name || id.startsWith(`${name}/`))
  // Declaration chunks carry a hash in their name: without this, those of earlier builds would be published.
  rmSync(join(directory, 'dist'), { recursive: true, force: true })
  const tsconfig = join(directory, 'tsconfig.json')
  // An import that resolves to nothing must fail here, not in the user's bundle.
  const onwarn = (warning) => {
    throw Object.assign(new Error(warning.message), { code: warning.code })
  }
  return [
    {
      input,
      external,
      onwarn,
      plugins: [esbuild({ target: 'es2022', tsconfig }), pureInitialisers],
      output: {
        dir: join(directory, 'dist'),
        format: 'es',
        sourcemap: true,
        preserveModules: true,
        preserveModulesRoot: join(directory, 'src'),
      },
    },
    {
      input,
      external,
      onwarn,
      // Types of the packages below come from their dist, as an installer gets them: one program per package.
      plugins: [dts({ tsconfig, compilerOptions: { customConditions: [] } })],
      output: { dir: join(directory, 'dist'), format: 'es', chunkFileNames: '[name]-[hash].d.ts' },
    },
  ]
}

const chosen = cwd === root ? published : published.filter((directory) => directory === cwd)
if (chosen.length === 0) throw new Error(`rollup: ${basename(cwd)} is not a published package`)
export default chosen.flatMap(one)
