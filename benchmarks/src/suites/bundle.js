/**
 * How many bytes of JavaScript a page loads to train an MLP (`bundle/mlp-trainer.js`): built packages, bundled and minified by esbuild
 * for browsers, everything included (WebAssembly too), gzip at its highest level.
 *
 * @import { Effort } from '../report.js'
 */
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

/** @param {Effort} effort */
export async function bundle(effort) {
  effort.say('bundle')
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('../bundle/mlp-trainer.js', import.meta.url))],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
  })
  const kilobytes = gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length / 1000
  effort.add({ id: 'bundle', unit: 'kB', cells: { compile: { value: kilobytes, rounds: [kilobytes] } } })
}
