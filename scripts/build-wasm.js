/**
 * Compiles the entries of packages/autodiff/assembly to WebAssembly and writes each, base64 in a module, to
 * packages/autodiff/src/kernels/generated, which is committed. Each entry is a module of its own, so that a bundle carries
 * those alone whose operations it uses.
 *
 *     node scripts/build-wasm.js           writes the files
 *     node scripts/build-wasm.js --check   exits 1 where a committed file is not what the sources give
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { compile, entries, moduleText, sourceOf } from './compile-wasm.js'

const root = join(import.meta.dirname, '..')
/** @param {Entry} entry */
const targetOf = ({ target }) => join(root, `packages/autodiff/src/kernels/generated/${target}.ts`)

for (const entry of entries) {
  const binary = await compile(entry)
  const text = moduleText(entry, binary)
  const target = targetOf(entry)
  if (process.argv.includes('--check')) {
    let committed = ''
    try {
      committed = readFileSync(target, 'utf8')
    } catch (problem) {
      if (problem.code !== 'ENOENT') throw problem
    }
    if (committed !== text) {
      const from = dirname(sourceOf(entry))
      console.error(`${relative(root, target)} is not what ${from} gives; run \`node scripts/build-wasm.js\``)
      process.exitCode = 1
    }
  } else {
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, text)
    console.log(`${relative(root, target)}: ${binary.length} bytes of WebAssembly`)
  }
}
