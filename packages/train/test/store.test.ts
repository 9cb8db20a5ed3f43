import { filter, firstValueFrom, Subject, takeWhile, tap, throwError } from 'rxjs'
import { describe, expect, test } from 'vitest'
import {
  type CheckpointStore,
  checkpointEvery,
  type FitOptions,
  fit,
  type MonitorOptions,
  result,
  type StoreOptions,
  storeOf,
  type TrainEvent,
  toCheckpoint,
} from '../src/index.ts'
import { checksummed } from './crc.ts'
import { damaged, type MemoryFiles, memoryFiles, runAt } from './memory-files.ts'
import { eventsOf, line, scripted, timeless, turn, twoPoints } from './small.ts'

/** Saves runs that have come to these steps, one after the other. */
async function saved(
  files: MemoryFiles,
  steps: readonly (number | readonly [step: number, loss: number])[],
  options: StoreOptions = {},
): Promise<readonly string[]> {
  const store = storeOf(files, options)
  await store.open()
  for (const at of steps) {
    await store.save(typeof at === 'number' ? runAt(at) : runAt(at[0], { 'validation.loss': at[1] }))
  }
  return (await store.list()).map(({ number, step }) => `${number}: ${step}`)
}

/** What was told to a log. */
function noted(): { log: NonNullable<FitOptions['log']>; readonly told: string[] } {
  const told: string[] = []
  return {
    told,
    log: (message, error) => told.push(`${message} | ${error instanceof Error ? error.message : error}`),
  }
}

const best: MonitorOptions = { monitor: 'validation.loss' }

describe('what is kept', () => {
  test.each<[string, StoreOptions, Parameters<typeof saved>[1], readonly string[]]>([
    ['all, while there are few', {}, [10, 20], ['1: 10', '2: 20']],
    ['the last three', {}, [10, 20, 30, 40, 50], ['3: 30', '4: 40', '5: 50']],
    ['the last one', { keep: 1 }, [10, 20, 30], ['3: 30']],
    ['the last written, where a run has gone back', { keep: 2 }, [10, 90, 20, 30], ['3: 20', '4: 30']],
    [
      'the best beside the last',
      { keep: 1, best },
      [
        [10, 3],
        [20, 1],
        [30, 2],
        [40, 2],
      ],
      ['2: 20', '4: 40'],
    ],
    [
      'the first of equally good ones',
      { keep: 1, best },
      [
        [10, 1],
        [20, 1],
        [30, 1],
      ],
      ['1: 10', '3: 30'],
    ],
    [
      'one that is best and among the last, once',
      { keep: 2, best },
      [
        [10, 3],
        [20, 2],
        [30, 1],
      ],
      ['2: 20', '3: 30'],
    ],
    [
      'of what is NaN or was not measured the last',
      { keep: 1, best },
      [10, [20, Number.NaN], [30, Number.NaN]],
      ['3: 30'],
    ],
    [
      'the greatest, where that is best',
      { keep: 1, best: { ...best, mode: 'max' } },
      [
        [10, 1],
        [20, 3],
        [30, 2],
      ],
      ['2: 20', '3: 30'],
    ],
  ])('%s', async (_, options, steps, kept) => {
    expect(await saved(memoryFiles(), steps, options)).toEqual(kept)
  })

  test('in the order of numbers also where there are more than six digits', async () => {
    const files = memoryFiles()
    files.kept.set('999999-step-7.safetensors', toCheckpoint(runAt(7)))
    expect(await saved(files, [8, 9], { keep: 2 })).toEqual(['1000000: 8', '1000001: 9'])
  })

  test('the best, by another process too', async () => {
    const files = memoryFiles()
    await saved(
      files,
      [
        [10, 3],
        [20, 1],
      ],
      { keep: 1, best },
    )
    expect(
      await saved(
        files,
        [
          [30, 2],
          [40, 4],
        ],
        { keep: 1, best },
      ),
    ).toEqual(['2: 20', '4: 40'])
    const { step } = (await storeOf(files, { best }).best())!
    expect(step).toBe(20)
    // The best is damaged: then it is the best of the others.
    const name = '000002-step-20.safetensors'
    files.kept.set(name, damaged(files.kept.get(name)!))
    const { told, log } = noted()
    expect((await storeOf(files, { best }).best(log))!.step).toBe(40)
    expect(told).toHaveLength(1)
    expect(
      await saved(
        files,
        [
          [50, 3],
          [60, 5],
        ],
        { keep: 1, best },
      ),
    ).toEqual(['5: 50', '6: 60'])
  })

  test('nothing of others: files that are called otherwise stay', async () => {
    const files = memoryFiles()
    const others = [
      'notes.txt',
      '000001.safetensors',
      'x000001-step-1.safetensors',
      '000001-step-1.safetensors.bak',
      '1-step-1.safetensors',
    ]
    for (const name of others) files.kept.set(name, new Uint8Array(1))
    await saved(files, [1, 2, 3, 4], { keep: 1 })
    expect([...files.kept.keys()].sort()).toEqual([...others, '000004-step-4.safetensors'].sort())
    expect((await storeOf(files).latest())!.step).toBe(4)
  })

  test('nothing is deleted before the new one is there', async () => {
    const files = memoryFiles()
    await saved(files, [1, 2, 3], { keep: 1 })
    const written = files.done.filter((what) => !what.endsWith('probe'))
    expect(written).toEqual([
      'write 000001-step-1.safetensors',
      'write 000002-step-2.safetensors',
      'delete 000001-step-1.safetensors',
      'write 000003-step-3.safetensors',
      'delete 000002-step-2.safetensors',
    ])
    const store = storeOf({ ...files, write: () => Promise.reject(new Error('no space')) }, { keep: 1 })
    await expect(store.save(runAt(4))).rejects.toThrow('no space')
    expect((await store.latest())!.step).toBe(3)
  })

  test('what cannot be deleted is told, and the new one is there', async () => {
    const files = memoryFiles()
    const store = storeOf({ ...files, delete: () => Promise.reject(new Error('EACCES')) }, { keep: 1 })
    await store.save(runAt(1))
    await expect(store.save(runAt(2))).rejects.toThrow(
      expect.objectContaining({
        name: 'CheckpointError',
        message:
          'storeOf: 000002-step-2.safetensors was written, but older ones could not be deleted: EACCES',
      }),
    )
    expect((await store.list()).map(({ step }) => step)).toEqual([1, 2])
  })
})

describe('the newest', () => {
  test('is null of an empty store', async () => {
    expect(await storeOf(memoryFiles()).latest()).toBeNull()
    expect(await storeOf(memoryFiles(), { best }).best()).toBeNull()
  })

  const bad: readonly [string, (bytes: Uint8Array) => Uint8Array][] = [
    ['cut', (bytes) => bytes.subarray(0, bytes.length - 1)],
    ['empty', () => new Uint8Array(0)],
    ['of other bits', damaged],
    ['of zeros', (bytes) => new Uint8Array(bytes.length)],
    ['garbage', (bytes) => bytes.map((byte, i) => byte ^ (i * 31))],
  ]
  test.each(bad)('falls back where it is %s, and says so', async (_, change) => {
    const files = memoryFiles()
    await saved(files, [1, 2, 3])
    for (const name of ['000003-step-3.safetensors', '000002-step-2.safetensors']) {
      files.kept.set(name, change(files.kept.get(name)!))
    }
    const { told, log } = noted()
    expect(await storeOf(files).latest(log)).toStrictEqual(runAt(1))
    expect(told).toEqual([
      expect.stringMatching(
        /^storeOf: 000003-step-3\.safetensors in memory cannot be read, and is passed over \| storeOf: memory, 000003-step-3\.safetensors: the file of \d+ bytes /,
      ),
      expect.stringMatching(
        /^storeOf: 000002-step-2\.safetensors in memory cannot be read, and is passed over \| /,
      ),
    ])
    expect(files.kept.size).toBe(3)
    await expect(storeOf(files).load('000003-step-3.safetensors')).rejects.toThrow(
      'storeOf: memory, 000003-step-3.safetensors: the file of',
    )
    expect((await storeOf(files).load('000001-step-1.safetensors')).step).toBe(1)
    await expect(storeOf(files).load('000009-step-1.safetensors')).rejects.toThrow(
      "storeOf: there is no checkpoint '000009-step-1.safetensors' in memory",
    )
  })

  test('falls back where it cannot be read, or has gone meanwhile', async () => {
    const files = memoryFiles()
    await saved(files, [1, 2, 3])
    const read = async (name: string): Promise<Uint8Array | null> => {
      if (name.startsWith('000003')) throw new Error('EIO')
      return name.startsWith('000002') ? null : files.read(name)
    }
    const { told, log } = noted()
    expect((await storeOf({ ...files, read }).latest(log))!.step).toBe(1)
    expect(told.map((line) => line.split(' | ')[1])).toEqual([
      'EIO',
      "storeOf: there is no checkpoint '000002-step-2.safetensors' in memory",
    ])
  })

  test('does not push out the one that was fallen back to: damaged ones do not count', async () => {
    const files = memoryFiles()
    await saved(files, [1, 2, 3])
    for (const name of ['000003-step-3.safetensors', '000002-step-2.safetensors']) {
      files.kept.set(name, damaged(files.kept.get(name)!))
    }
    const store = storeOf(files, { keep: 2 })
    await store.open()
    await store.latest(() => {})
    await store.save(runAt(4))
    expect((await store.list()).map(({ step }) => step)).toEqual([1, 4])
    await store.save(runAt(5))
    expect((await store.list()).map(({ step }) => step)).toEqual([4, 5])
  })

  test('is an error where none is left: a run must not begin anew in silence', async () => {
    const files = memoryFiles()
    await saved(files, [1, 2])
    for (const name of files.kept.keys()) files.kept.set(name, new Uint8Array(0))
    await expect(storeOf(files).latest(() => {})).rejects.toThrow(
      'storeOf: none of the 2 checkpoints in memory can be read; move them away to begin anew',
    )
  })

  test('is an error where it is of a newer format, and not one before it', async () => {
    const files = memoryFiles()
    await saved(files, [1, 2])
    const name = '000002-step-2.safetensors'
    const bytes = files.kept.get(name)!
    const at = new TextDecoder('latin1').decode(bytes).indexOf('"version":"1"') + '"version":"'.length
    files.kept.set(name, checksummed(bytes.with(at, '2'.charCodeAt(0))))
    const { told, log } = noted()
    await expect(storeOf(files).latest(log)).rejects.toThrow(
      expect.objectContaining({
        problem: 'newer',
        message: expect.stringMatching(
          /^storeOf: memory, 000002-step-2\.safetensors: the file was written by a newer Tapeflow \(.*\), in format 2, this one reads up to 1; update @tapeflow\/train$/,
        ),
      }),
    )
    expect(told).toEqual([])
    const run$ = fit(line, { ...twoPoints, epochs: 1, from: storeOf(files) })
    await expect(result(run$)).rejects.toThrow('written by a newer Tapeflow')
  })
})

describe('two runs with one store', () => {
  test('the second to write is told, and leaves the first alone', async () => {
    const files = memoryFiles()
    const [first, second] = [storeOf(files), storeOf(files)]
    await first.open()
    await second.open()
    await first.save(runAt(10))
    for (const step of [5, 6]) {
      await expect(second.save(runAt(step))).rejects.toThrow(
        'storeOf: another run writes to memory: it has 000001-step-10.safetensors since this one began; give each run a store of its own',
      )
    }
    await first.save(runAt(20))
    expect((await first.list()).map(({ step }) => step)).toEqual([10, 20])
    // It may take over where the first has ended.
    await second.open()
    await second.save(runAt(30))
    await expect(first.save(runAt(40))).rejects.toThrow('another run writes')
    expect((await first.list()).map(({ step }) => step)).toEqual([10, 20, 30])
  })

  test('a new one is refused where there is another, before its first step', async () => {
    const store = storeOf(memoryFiles())
    const options = { ...twoPoints, epochs: 2, store }
    await eventsOf(fit(line, options))
    const message =
      'fit: the store memory has a run already, up to step 4; pass from: store to go on with it, or another store to begin anew'
    const events: string[] = []
    await new Promise<void>((resolve, reject) => {
      fit(line, options).subscribe({
        next: ({ type }) => events.push(type),
        error: (error: unknown) => {
          expect(error).toMatchObject({ name: 'RangeError', message })
          resolve()
        },
        complete: () => reject(new Error('it ran')),
      })
    })
    expect(events).toEqual([])
    const again = await result(fit(line, { ...options, from: store }))
    expect(again.history).toHaveLength(2)
  })

  test('one that goes on from another store is refused, too; from a snapshot it goes on', async () => {
    const [store, other] = [storeOf(memoryFiles()), storeOf({ ...memoryFiles(), name: 'other' })]
    const options = { ...twoPoints, epochs: 2, store }
    for (const one of [store, other]) await eventsOf(fit(line, { ...options, epochs: 1, store: one }))
    await expect(eventsOf(fit(line, { ...options, from: other }))).rejects.toThrow(
      'fit: the store memory has a run already, up to step 2; pass from: store to go on with it',
    )
    const on = await result(fit(line, { ...options, from: (await other.latest())! }))
    expect(on.history).toHaveLength(2)
    expect((await store.list()).map(({ step }) => step)).toEqual([2, 4])
  })
})

describe('two runs with one store object', () => {
  const options = (files = memoryFiles()): FitOptions & { store: CheckpointStore } => {
    const store = storeOf(files)
    return { ...twoPoints, epochs: 3, callbacks: [everyStep], store, from: store, pace: { budget: 0 } }
  }
  const message =
    'storeOf: a run that is not over writes to memory; wait for its end, or give each run a store of its own'

  test('the second is refused before its first step, and the first goes on', async () => {
    const run$ = fit(line, options())
    const heard: string[] = []
    const refused = new Promise<unknown>((resolve) => {
      const first = eventsOf(run$)
      void first.then((events) => heard.push(...events.map(({ type }) => type)))
      eventsOf(run$).then(resolve, (error: unknown) => first.then(() => resolve(error)))
    })
    expect(await refused).toMatchObject({ name: 'RangeError', message })
    expect(heard.at(-1)).toBe('end')
  })

  test('the second may begin where the first has ended, failed or was unsubscribed, also while its store was opened', async () => {
    const given = options()
    fit(line, given).subscribe().unsubscribe()
    const left = fit(line, given).subscribe()
    await Promise.resolve()
    left.unsubscribe()
    const broken = { name: 'broken', run: () => throwError(() => new Error('no')) }
    await expect(result(fit(line, { ...given, callbacks: [broken] }))).rejects.toThrow('no')
    await result(fit(line, given).pipe(takeWhile(({ type }) => type !== 'end', true)))
    expect((await result(fit(line, { ...given, epochs: 4 }))).history).toHaveLength(4)
  })

  test('who begins where `end` is heard goes on from there: what is still being written is waited for', async () => {
    const given = options()
    const more = await new Promise<TrainEvent[]>((resolve, reject) => {
      fit(line, given).subscribe((event) => {
        if (event.type === 'end') eventsOf(fit(line, { ...given, epochs: 4 })).then(resolve, reject)
      })
    })
    expect(more.flatMap((event) => (event.type === 'step' ? event.step : []))).toEqual([6, 7])
  })

  test.each([0, 1, 2])(
    'what a run that was left still writes is waited for, %i others in between',
    async (others) => {
      const files = memoryFiles()
      const writing: (() => void)[] = []
      const write = async (name: string, bytes: Uint8Array): Promise<void> => {
        if (name !== 'probe') await new Promise<void>((resolve) => writing.push(resolve))
        await files.write(name, bytes)
      }
      const given = { ...options({ ...files, write }), epochs: 100 }
      const steps: number[] = []
      const left = fit(line, given).subscribe(({ type, step }) => type === 'step' && steps.push(step))
      while (writing.length === 0 || steps.length < 4) await turn()
      left.unsubscribe()
      for (let i = 0; i < others; i++) {
        const between = fit(line, given).subscribe()
        await turn()
        between.unsubscribe()
      }
      const next = firstValueFrom(fit(line, given).pipe(filter(({ type }) => type === 'step')))
      for (let i = 0; i < 5; i++) await turn()
      const release = setInterval(() => writing.shift()?.(), 1)
      const { step } = await next
      clearInterval(release)
      // The newest that waited was written before this one was opened.
      expect(step).toBe(steps.length)
      expect(files.done.indexOf('write probe', 1)).toBeGreaterThan(
        files.done.indexOf(`write 000002-step-${steps.length}.safetensors`),
      )
    },
  )
})

/** Checkpoints at each step. */
const everyStep = checkpointEvery({ steps: 1 })

describe('a run and its store', () => {
  test('the run does not wait: at most one is being written, the newest waits', async () => {
    const files = memoryFiles()
    const writing: (() => void)[] = []
    let [under, most] = [0, 0]
    const slow = {
      ...files,
      write: async (name: string, bytes: Uint8Array) => {
        if (name === 'probe') return
        under++
        most = Math.max(most, under)
        await new Promise<void>((resolve) => writing.push(resolve))
        await files.write(name, bytes)
        under--
      },
    }
    const steps: number[] = []
    let ended = false
    const run$ = fit(line, {
      ...twoPoints,
      steps: 100,
      store: storeOf(slow),
      callbacks: [everyStep],
      pace: { budget: 0 },
    })
    const over = new Promise<void>((resolve, reject) => {
      run$.subscribe({
        next: (event) => {
          if (event.type === 'step') steps.push(event.step)
          if (event.type === 'end') ended = true
        },
        error: reject,
        complete: resolve,
      })
    })
    while (!ended) await turn()
    // All steps were made while the first checkpoint hangs.
    expect(steps).toHaveLength(100)
    expect(writing).toHaveLength(1)
    expect(files.kept.size).toBe(0)
    writing[0]!()
    while (writing.length < 2) await turn()
    writing[1]!()
    await over
    expect(most).toBe(1)
    const [first, last, ...more] = (await storeOf(files).list()).map(({ step }) => step)
    expect(more).toEqual([])
    expect(first).toBeLessThan(20)
    expect(last).toBe(100)
  })

  test.each<[string, MonitorOptions, readonly number[], readonly (readonly [number, number])[]]>([
    [
      'min',
      { monitor: 'epoch.loss' },
      [5, 4, 1, 3, 1, 6],
      [
        [1, 5],
        [3, 1],
        [6, 6],
      ],
    ],
    [
      'max',
      { monitor: 'epoch.loss', mode: 'max' },
      [5, 4, 1, 9, 1, 6],
      [
        [1, 5],
        [4, 9],
        [6, 6],
      ],
    ],
    [
      'where the first is',
      { monitor: 'epoch.loss' },
      [0, 4, 1, 3, 2, 6],
      [
        [1, 0],
        [3, 1],
        [6, 6],
      ],
    ],
    [
      'where the last is',
      { monitor: 'epoch.loss' },
      [5, 4, 1, 3, 2, 0],
      [
        [1, 5],
        [6, 0],
        // As it ended, which may be with other weights.
        [6, 0],
      ],
    ],
    [
      'where nothing is measured',
      { monitor: 'validation.loss' },
      [5, 4, 1, 3, 2, 0],
      [
        [1, 5],
        [6, 0],
      ],
    ],
  ])('the best is written though a newer one came while it waited: %s', async (_, ranked, losses, kept) => {
    const files = memoryFiles()
    let release: (() => void) | null = null
    let under = 0
    const write = async (name: string, bytes: Uint8Array): Promise<void> => {
      expect(++under).toBe(1)
      // The first lasts until all steps were made.
      if (release === null && name !== 'probe')
        await new Promise<void>((resolve) => {
          release = resolve
        })
      await files.write(name, bytes)
      under--
    }
    const store = storeOf({ ...files, write }, { keep: 9, best: ranked })
    // Each step is a turn, so that the first is under way.
    const run$ = scripted(losses, {
      callbacks: [checkpointEvery({ epochs: 1 })],
      store,
      pace: { budget: 0, rest: 3 },
    })
    await eventsOf(run$.pipe(tap(({ type }) => type === 'end' && release?.())))
    const found = await Promise.all((await store.list()).map(({ name }) => store.load(name)))
    expect(found.map(({ step, measured }) => [step, measured['epoch.loss']])).toEqual(kept)
  })

  test('a store that fails is told of, and the run goes on; later checkpoints are tried again', async () => {
    const files = memoryFiles()
    // A step is made when the checkpoint of the one before has been written, or not.
    const asked = new Subject<void>()
    let attempts = 0
    const flaky = {
      ...files,
      write: async (name: string, bytes: Uint8Array) => {
        if (name === 'probe') return
        attempts++
        queueMicrotask(() => asked.next())
        if (attempts <= 3) throw new Error('ENOSPC: no space left on device')
        await files.write(name, bytes)
      },
    }
    const { told, log } = noted()
    const without = await result(fit(line, { ...twoPoints, steps: 6 }))
    const run$ = fit(line, {
      ...twoPoints,
      steps: 6,
      store: storeOf(flaky, { keep: 9 }),
      callbacks: [everyStep],
      pace: asked,
      log,
    })
    const { params, reason } = await result(
      run$.pipe(tap(({ type }) => type === 'start' && queueMicrotask(() => asked.next()))),
    )
    expect({ params, reason }).toEqual({ params: without.params, reason: without.reason })
    const lines = [1, 2, 3].map(
      (step) =>
        `fit: the checkpoint of step ${step} could not be written to memory | ENOSPC: no space left on device`,
    )
    expect(told).toEqual(lines)
    // The end may find the one of step 6 waiting, and take its place.
    const steps = (await storeOf(files).list()).map(({ step }) => step)
    expect([...new Set(steps)]).toEqual([4, 5, 6])
  })

  test('a place that cannot be written to is an error before the first step', async () => {
    const files = { ...memoryFiles(), write: () => Promise.reject(new Error('EROFS: read-only file system')) }
    const events: string[] = []
    const run$ = fit(line, { ...twoPoints, steps: 6, store: storeOf(files) })
    const failed = new Promise((resolve) => {
      run$.subscribe({ next: ({ type }) => events.push(type), error: resolve })
    })
    expect(await failed).toMatchObject({
      name: 'CheckpointError',
      operation: 'storeOf',
      problem: 'unwritable',
      message:
        'storeOf: nothing can be written to memory: EROFS: read-only file system; choose another place',
    })
    expect(events).toEqual([])
  })

  test('a run that has ended is there, and stays ended', async () => {
    const store = storeOf(memoryFiles())
    const options = { ...twoPoints, epochs: 3, store, from: store }
    const events = await eventsOf(fit(line, options))
    const again = await eventsOf(fit(line, options))
    expect(again.map(({ type }) => type)).toEqual(['start', 'end'])
    const [a, b] = [events.at(-1)!, again.at(-1)!]
    if (a.type !== 'end' || b.type !== 'end') throw new Error('no end')
    expect(timeless(b.result)).toEqual(timeless(a.result))
    expect(await store.list()).toHaveLength(1)
  })
})

test.each<[string, () => unknown, string]>([
  ['keep', () => storeOf(memoryFiles(), { keep: 0 }), 'storeOf: keep must be an integer from 1 on, got 0'],
  [
    'keep as text',
    () => storeOf(memoryFiles(), { keep: '3' as never }),
    'storeOf: keep must be an integer from 1 on, got a string',
  ],
  [
    'another option',
    () => storeOf(memoryFiles(), { kept: 3 } as never),
    "storeOf: unknown option 'kept'; use keep, best",
  ],
  [
    'best',
    () => storeOf(memoryFiles(), { best: { monitor: 'loss' as never } }),
    "storeOf: cannot monitor 'loss'; use 'validation.loss', 'epoch.loss' or a metric in place of loss",
  ],
])('a wrong option is refused: %s', (_, make, message) => {
  expect(make).toThrow(message)
})

test('the best is an error where the measure has a name that no checkpoint knows', async () => {
  const files = memoryFiles()
  const misspelt: StoreOptions = { best: { monitor: 'validation.acuracy' } }
  const store = storeOf(files, misspelt)
  await store.save(runAt(1))
  // Nothing has been measured yet.
  expect(await store.best()).toBeNull()
  await store.save(runAt(2, { 'validation.loss': 1, 'validation.accuracy': 0.5, 'epoch.loss': 2 }))
  for (const one of [store, storeOf(files, misspelt)]) {
    await expect(one.best()).rejects.toThrow(
      expect.objectContaining({
        name: 'RangeError',
        message:
          "storeOf: no checkpoint in memory has a measure 'validation.acuracy'; they have epoch.loss, validation.accuracy, validation.loss",
      }),
    )
  }
})

test('the best is not told where nobody said what is best', async () => {
  await expect(storeOf(memoryFiles()).best()).rejects.toThrow(
    "storeOf: it was not said what is best; pass best: { monitor: 'validation.loss' }",
  )
})
