import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { build } from 'esbuild'
import { fitInWorker } from '../../src/node.ts'
import type { Workers } from './here.ts'
import type recipe from './recipe.ts'
import { sources } from './sources.ts'

/** Threads that run `recipe.ts` from one file, which loads much faster than sources do. */
export async function threads(limits: WorkerOptions = {}): Promise<Workers> {
  const file = join(await mkdtemp(join(tmpdir(), 'tapeflow-thread-')), 'recipe.thread.mjs')
  await build({
    entryPoints: [fileURLToPath(new URL('./recipe.thread.ts', import.meta.url))],
    bundle: true,
    format: 'esm',
    platform: 'node',
    conditions: ['@tapeflow/source'],
    outfile: file,
    sourcemap: 'inline',
    // One of the dependencies asks for require.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)",
    },
  })
  let count = 0
  return {
    inWorker: (made) => (options, given) =>
      fitInWorker<typeof recipe>(
        () => {
          const worker = new Worker(file, { execArgv: ['--enable-source-maps'], ...limits })
          count++
          worker.on('exit', () => count--)
          made?.(worker)
          return worker
        },
        options,
        given,
      ),
    inModule: (module) => (options, given) =>
      fitInWorker<typeof recipe>(module, options, { ...given, worker: sources }),
    alive: () => Promise.resolve(count),
  }
}
