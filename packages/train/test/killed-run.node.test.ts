import { spawn } from 'node:child_process'
import { mkdtemp, readdir, rm, stat, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import * as t from '@tapeflow/autodiff'
import { afterAll, expect, test } from 'vitest'

const long = import.meta.env['LONG'] === '1'
const given = import.meta.env['SEED']
const seed = given ? Number(given) : long ? Date.now() % 2 ** 31 : 20261126
const kills = long ? 20 : 2

const directories: string[] = []
const directory = async (): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), 'tapeflow-killed-'))
  directories.push(path)
  return path
}
afterAll(async () => {
  for (const path of directories) await rm(path, { recursive: true, force: true })
})

/** What a life of the run told before it ended or was killed. */
interface Life {
  readonly events: readonly (readonly [name: string, value: unknown])[]
  readonly logged: readonly string[]
  readonly hasEnded: boolean
}

/** When a process is killed: so long after so many events. Null: not at all. */
type Death = { readonly after: number; readonly milliseconds: number } | null

async function life(path: string, death: Death): Promise<Life> {
  const program = fileURLToPath(new URL('killed-run.program.ts', import.meta.url))
  const flags = [
    '--conditions=@tapeflow/source',
    '--import',
    'tsx',
    program,
    path,
    death === null ? 'fast' : 'slow',
  ]
  const child = spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  const kill = (): void => {
    setTimeout(() => child.kill('SIGKILL'), death!.milliseconds)
  }
  const events: (readonly [string, unknown])[] = []
  const logged: string[] = []
  let hasEnded = false
  if (death?.after === 0) kill()
  for await (const line of createInterface({ input: child.stdout })) {
    const [, kind, json] = /^(event|log|complete) (.*)$/.exec(line) ?? []
    // The last line may be torn.
    if (kind === undefined || !isJson(json!)) continue
    const value: unknown = JSON.parse(json!)
    if (kind === 'complete') hasEnded = true
    else if (kind === 'log') logged.push(value as string)
    else if (events.push(value as [string, unknown]) === death?.after) kill()
  }
  const status = await closed
  if (death === null) expect(status).toBe(0)
  return { events, logged, hasEnded }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Cuts the newest checkpoint: its name, or null where there is none before it. */
async function cutNewest(path: string, share: number): Promise<string | null> {
  const names = (await readdir(path)).filter((name) => /^\d+-step/.test(name)).sort()
  if (names.length < 2) return null
  const newest = names.at(-1)!
  const { size } = await stat(join(path, newest))
  await truncate(join(path, newest), Math.floor(share * size))
  return newest
}

/** What the run tells that nobody kills. */
async function straightRun(): Promise<ReadonlyMap<string, unknown>> {
  const { events, logged, hasEnded } = await life(await directory(), null)
  const wanted = new Map(events)
  expect(wanted.size).toBe(events.length)
  expect({ logged, hasEnded }).toEqual({ logged: [], hasEnded: true })
  // It is a run in which callbacks have something to do.
  const told = [...wanted.keys()].join('\n')
  for (const part of ['scaleLearningRate of reduceLROnPlateau', 'stop of earlyStopping', 'restore of']) {
    expect(told).toContain(part)
  }
  return wanted
}

test(`a run that is killed tells, event by event, what it does that is not, and ends with the same bits: ${kills} times`, async () => {
  const wanted = await straightRun()
  const random = t.uniformValues(t.key(seed), 4 * kills + 4, 0, 1)
  let killed = 0
  for (let run = 0; killed < kills; run++) {
    const path = await directory()
    const seen = new Set<string>()
    const cuts = new Set<string>()
    for (;;) {
      const [a, b, c, d] = random.subarray(4 * killed)
      const after = Math.floor(a! * 260)
      // Before the first event the process is loading, and opens the store.
      const death = killed < kills ? { after, milliseconds: (after === 0 ? 1000 : 4) * b! } : null
      const cut = c! < 0.4 ? await cutNewest(path, d!) : null
      const { events, logged, hasEnded } = await life(path, death)
      const place = `seed ${seed}, run ${run}, ${killed} killed`
      for (const [name, value] of events) {
        if (name.includes('start')) continue
        expect({ place, name, value }).toEqual({ place, name, value: wanted.get(name) })
        seen.add(name)
      }
      if (cut !== null) cuts.add(cut)
      const passedOver = logged.map((line) => line.replace(/^directoryStore: | in .*$/g, ''))
      expect(passedOver.filter((name) => !cuts.has(name))).toEqual([])
      if (events.length > 0 && cut !== null) expect(passedOver).toContain(cut)
      if (hasEnded) break
      killed++
    }
    const missed = [...wanted.keys()].filter((name) => !seen.has(name) && !name.includes('start'))
    expect({ run, missed }).toEqual({ run, missed: [] })
    // The last three and the best, and nothing that a killed process was writing.
    const left = await readdir(path)
    expect(left.filter((name) => !/^\d{6}-step-\d+\.safetensors$/.test(name))).toEqual([])
    expect(left.length).toBeLessThanOrEqual(4)
  }
})
