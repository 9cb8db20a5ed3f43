// Run by worker-threads.node.test.ts in a process of its own: does something with a run in a worker thread, and leaves. That the
// process ends by itself is what is tested.
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { firstValueFrom, take } from 'rxjs'
import { result } from '../src/index.ts'
import { fitInWorker } from '../src/node.ts'
import { sources } from './worker/sources.ts'

const [what] = process.argv.slice(2)
const module = new URL('./worker/logging.ts', import.meta.url)
const path = join(mkdtempSync(join(tmpdir(), 'tapeflow-leaving-')), 'log.csv')

const run$ = fitInWorker(
  module,
  { path, steps: what === 'completes' ? 50 : 1_000_000_000 },
  { worker: sources },
)
if (what === 'completes') await result(run$)
else if (what === 'unsubscribes at once') run$.subscribe().unsubscribe()
else await firstValueFrom(run$.pipe(take(1)))

process.on('exit', () => {
  const lines = what === 'completes' ? readFileSync(path, 'utf8').trim().split('\n').length : 0
  console.log(JSON.stringify({ left: true, lines }))
})
