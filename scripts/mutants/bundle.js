// Bundles the law matrix with the sources as they are, or with some of them replaced: one file, for one process of plain node.
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import esbuild from 'esbuild'
import { compile, entries, moduleText } from '../compile-wasm.js'
import { root } from '../workspaces.js'

const own = 'scripts/mutants'
const assembly = 'packages/autodiff/assembly/'

const entryText = `import './${own}/counting.js'
import { matrix } from './property-tests/test/matrix.ts'
import { run } from './${own}/matrix.js'
run(matrix)
`

/**
 * What makes bundles, again and again, of sources some of which are replaced.
 * @returns {Promise<{ write(replaced: ReadonlyMap<string, string>): Promise<Uint8Array>, close(): Promise<void> }>} `write` takes
 * the texts of files by their path
 */
export async function bundler() {
  let texts = new Map()
  const context = await esbuild.context({
    stdin: { contents: entryText, resolveDir: root, sourcefile: 'matrix-entry.js' },
    absWorkingDir: root,
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    logLevel: 'silent',
    outfile: 'matrix.mjs',
    conditions: ['@tapeflow/source'],
    define: { 'import.meta.env': '{}' },
    plugins: [
      {
        name: 'replaced',
        setup(build) {
          build.onResolve({ filter: /^vitest$/ }, () => ({ path: join(root, own, 'expect.js') }))
          build.onLoad({ filter: /packages\/.*\.ts$/ }, ({ path }) => {
            const contents = texts.get(relative(root, path))
            return contents === undefined ? undefined : { contents, loader: 'ts' }
          })
        },
      },
    ],
  })
  return {
    async write(replaced) {
      texts = await withKernels(replaced)
      const { outputFiles } = await context.rebuild()
      return outputFiles[0].contents
    },
    close: () => context.dispose(),
  }
}

/** AssemblyScript among the replaced is compiled, and the module that carries the kernels is replaced instead. */
async function withKernels(replaced) {
  const changed = new Map([...replaced].filter(([path]) => path.startsWith(assembly)))
  if (changed.size === 0) return replaced
  const read = (path) => changed.get(relative(root, path)) ?? readFileSync(path, 'utf8')
  const result = new Map([...replaced].filter(([path]) => !path.startsWith(assembly)))
  for (const entry of entries) {
    const [path] = changed.keys()
    if (!reachedFrom(`${assembly}${entry.source}.ts`).has(path)) continue
    const binary = await compile(entry, { read, optimize: ['-O1'] })
    result.set(`packages/autodiff/src/kernels/generated/${entry.target}.ts`, moduleText(entry, binary))
  }
  return result
}

/** The files of assembly that one imports, itself, and those that these import. */
function reachedFrom(path, found = new Set()) {
  if (found.has(path)) return found
  found.add(path)
  for (const name of importsOf(path)) reachedFrom(name, found)
  return found
}

function importsOf(path) {
  const text = readFileSync(join(root, path), 'utf8')
  return [...text.matchAll(/from '(\.[^']+)'/g)].map(([, name]) => join(path, '..', `${name}.ts`))
}

/** The functions that kernels export, of modules in which a file of assembly takes part. */
export function exportsThrough(path) {
  const names = new Set()
  for (const { source } of entries) {
    const entry = `${assembly}${source}.ts`
    for (const [, list, from] of readFileSync(join(root, entry), 'utf8').matchAll(
      /export \{([^}]+)\} from '([^']+)'/g,
    )) {
      if (!reachedFrom(join(entry, '..', `${from}.ts`)).has(path)) continue
      for (const name of list.split(',')) if (name.trim() !== '') names.add(name.trim())
    }
  }
  return names
}
