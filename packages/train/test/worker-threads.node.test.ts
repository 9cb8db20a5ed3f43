import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { tap } from 'rxjs'
import { expect, test } from 'vitest'
import { historyCsv, result } from '../src/index.ts'
import { csvLogger, fitInWorker, serveFit } from '../src/node.ts'
import { printedBy } from './child.ts'
import { threads } from './worker/threads.ts'

test.each(['unsubscribes', 'unsubscribes at once', 'completes'])(
  'a process that %s ends by itself, and with it what its worker had begun to write',
  async (what) => {
    const { left, lines } = await printedBy<{ left: boolean; lines: number }>('leaving.program.ts', [], what)
    expect(left).toBe(true)
    // One for the names, one for each step.
    expect(lines).toBe(what === 'completes' ? 51 : 0)
  },
)

// A logger of the recipe writes on when the run has ended.
test('a logger outside has written the run of a worker when it is flushed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tapeflow-outside-'))
  const logger = csvLogger(join(folder, 'run.csv'))
  const inWorker = (await threads()).inWorker()
  const run$ = inWorker({ steps: 5 }).pipe(tap((event) => void logger.next(event)?.catch(console.error)))
  const { history } = await result(run$)
  await logger.flushed()
  expect(await readFile(join(folder, 'run.csv'), 'utf8')).toBe(historyCsv(history))
  await rm(folder, { recursive: true })
})

test('what the page on workers loads into a thread that runs TypeScript is what these tests load', async () => {
  const read = (path: string): Promise<string> => readFile(new URL(path, import.meta.url), 'utf8')
  const [page, sources] = await Promise.all([read('../../../docs/workers.md'), read('./worker/sources.mjs')])
  expect(page).toContain(sources.replace(/^.*\n/, '// sources.mjs\n'))
  const inModule = (await threads()).inModule(new URL('./worker/recipe.ts', import.meta.url))
  expect((await result(inModule({ steps: 2 }))).reason).toBe('completed')
})

test('a thread that runs out of memory says so, and what to do', async () => {
  const inWorker = (await threads({ resourceLimits: { maxOldGenerationSizeMb: 32 } })).inWorker()
  await expect(result(inWorker({ steps: 9, callbacks: ['hoarding'] }))).rejects.toThrow(
    'fitInWorker: the worker ran out of memory; pass worker: { resourceLimits: { maxOldGenerationSizeMb',
  )
})

test('a file that cannot be loaded, or that nobody serves in, is an error', async () => {
  const started = (code: string) => fitInWorker(() => new Worker(code, { eval: true }), {})
  await expect(result(started('throw new Error("no way")'))).rejects.toThrow(
    'fitInWorker: the worker failed: no way',
  )
  await expect(result(started('1 + 1'))).rejects.toThrow(
    'fitInWorker: the worker ended with exit code 0 before the run did; it called process.exit, was terminated, or its file never called serveFit',
  )
  await expect(result(fitInWorker(() => new Worker('/nowhere.mjs'), {}))).rejects.toThrow(
    /the worker failed: Cannot find module/,
  )
})

test('an error that nobody catches inside ends the run', async () => {
  const code =
    'setTimeout(() => { throw new RangeError("late") }, 20); require("node:worker_threads").parentPort.on("message", () => {})'
  const error: unknown = await result(fitInWorker(() => new Worker(code, { eval: true }), {})).catch(
    (e: unknown) => e,
  )
  expect(error).toMatchObject({
    message: 'fitInWorker: the worker failed: late',
    cause: { name: 'RangeError' },
  })
})

test.each([
  [
    () => fitInWorker('./recipe.js', {}),
    "fitInWorker: the module must be a URL or an absolute path, got './recipe.js'",
  ],
  [
    () => serveFit(() => Promise.reject(new Error())),
    'serveFit: this is no worker thread; call it in the file of one',
  ],
])('%s is refused', (wrong, words) => {
  expect(wrong).toThrow(words)
})
