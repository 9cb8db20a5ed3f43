import * as t from '@tapeflow/autodiff'
import { lastValueFrom, type Observable, of, Subject, tap, toArray } from 'rxjs'
import { describe, expect, test } from 'vitest'
import {
  fit,
  gradients,
  losses,
  result,
  type TrainCommand,
  type TrainEvent,
  type TravelName,
  weights,
} from '../src/index.ts'
import { eventsOf } from './small.ts'
import { onThisThread, stepsOf, untilGone, workersHere } from './worker/here.ts'
import recipe, { type Asked } from './worker/recipe.ts'

const workers = await workersHere()
const { inModule } = workers
const inWorker = workers.inWorker()

describe('what travels', () => {
  test('numbers alone, where nothing was asked for: another read names the option', async () => {
    const words = await lastValueFrom(
      inWorker({ epochs: 1, callbacks: ['checkpoints'] }).pipe(
        tap((event) => {
          if (event.type === 'step') expect(event.metrics).toEqual({ meanAbsoluteError: expect.any(Number) })
        }),
        toArray(),
      ),
    )
    const step = words.find((event) => event.type === 'step')!
    const epoch = words.find((event) => event.type === 'epoch')!
    const checkpoint = words.find((event) => event.type === 'checkpoint')!
    const reads: readonly (readonly [() => unknown, string])[] = [
      [() => step.weights, "fitInWorker: weights are not watched; pass watch: ['weights'] to fitInWorker"],
      [() => epoch.weights, "fitInWorker: weights are not watched; pass watch: ['weights'] to fitInWorker"],
      [() => step.gradients, "gradients are not watched; pass watch: ['gradients'] to fitInWorker"],
      [() => step.gradientNorm, "gradientNorm is not watched; pass watch: ['gradientNorm'] to fitInWorker"],
      [() => step.activations, "activations are not watched; pass watch: ['activations'] to fitInWorker"],
      [() => checkpoint.snapshot, "checkpoints are not watched; pass watch: ['checkpoints'] to fitInWorker"],
      [() => step.snapshot(), "send the command { type: 'checkpoint' }"],
    ]
    for (const [read, said] of reads) expect(read).toThrow(said)
  })

  test('with every so many steps, and of the paths that a pattern names', async () => {
    const watch: readonly TravelName[] = ['weights:layers.3.*', 'gradients:**.bias', 'activations:layers.1']
    const run$ = inWorker({ epochs: 1 }, { watch, every: 3 })
    const events = await eventsOf(run$)
    for (const event of stepsOf(events)) {
      if (event.step % 3 === 0) {
        expect(event.weights.paths).toEqual(['layers.3.bias', 'layers.3.weight'])
        expect(event.gradients.paths).toEqual(['layers.0.bias', 'layers.3.bias'])
        expect(event.activations.paths).toEqual(['layers.1'])
      } else {
        expect(() => event.weights).toThrow(
          `weights of step ${event.step} did not travel: they do where 3 divides the step`,
        )
      }
    }
    const epoch = events.find((event) => event.type === 'epoch')!
    expect(epoch.weights.paths).toEqual(['layers.3.bias', 'layers.3.weight'])
  })

  test('operators copy what came, and pass over the steps that came without', async () => {
    const options: Asked = { steps: 7 }
    const there$ = inWorker(options, { watch: ['weights', 'gradients'], every: 2 })
    const [lost, came, went, wanted] = await Promise.all([
      lastValueFrom(there$.pipe(losses(), toArray())),
      lastValueFrom(there$.pipe(weights('layers.3.bias'), toArray())),
      lastValueFrom(there$.pipe(gradients('layers.0'), toArray())),
      lastValueFrom(onThisThread(options, true).pipe(weights('layers.3.bias'), toArray())),
    ])
    expect(lost.map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(came).toEqual(wanted.filter(({ step }) => step % 2 === 0))
    expect(went.map(({ value }) => value)).toMatchObject(
      [0, 2, 4, 6].map(() => ({ bias: { shape: [8] }, weight: { shape: [2, 8] } })),
    )
  })

  test.each<TravelName>(['weights:layer.0.*', 'gradients:layers.0', 'activations:layers.9'])(
    "'%s' matches nothing, which is an error that lists what there is",
    async (name) => {
      await expect(eventsOf(inWorker({ epochs: 1 }, { watch: [name] }))).rejects.toThrow(
        new RegExp(
          `nothing matches '${name.replaceAll('*', '\\*')}' in watch; use one of layers\\.0(\\.weight)?, `,
        ),
      )
      await untilGone(workers)
    },
  )

  test('a path that does not travel is an error that lists what does', async () => {
    const run$ = inWorker({ steps: 2 }, { watch: ['weights:layers.0.*'] }).pipe(weights('layers.3.bias'))
    await expect(lastValueFrom(run$)).rejects.toThrow(
      "weights: nothing is at 'layers.3.bias'; use one of layers.0.bias, layers.0.weight",
    )
    await untilGone(workers)
  })
})

describe('commands', () => {
  test('that come before the run is there act after its start, as those of fit', async () => {
    const commands = of<TrainCommand[]>({ type: 'checkpoint' }, { type: 'stop', reason: 'at once' })
    const kinds = async (run$: Observable<TrainEvent>): Promise<unknown> =>
      (await eventsOf(run$)).map(({ type, step }) => [type, step])
    const { model, ...rest } = recipe({})
    const wanted = await kinds(fit(model, { ...rest, commands }))
    expect(await kinds(inWorker({}, { commands }))).toEqual(wanted)
    // It is loaded while they come.
    const there$ = inModule(new URL('./worker/recipe.ts', import.meta.url))({}, { commands })
    expect(await kinds(there$)).toEqual(wanted)
    expect(wanted).toContainEqual(['command', 0])
  })

  test('no step is made between pause and resume', async () => {
    const commands = new Subject<TrainCommand>()
    let paused = 0
    let whilePaused = 0
    const events = await eventsOf(
      inWorker({ steps: 100_000, budget: 0 }, { commands }).pipe(
        tap((event) => {
          if (event.type === 'start') commands.next({ type: 'pause' })
          if (event.type === 'step' && paused === 1) whilePaused++
          if (event.type !== 'command') return
          if (event.command.type === 'pause') {
            paused++
            setTimeout(() => {
              paused++
              commands.next({ type: 'resume' })
            }, 50)
          }
          if (event.command.type === 'resume') commands.next({ type: 'stop' })
        }),
      ),
    )
    expect(whilePaused).toBe(0)
    expect(events.filter((event) => event.type === 'command')).toHaveLength(3)
  })

  test.each([
    ['an unknown one', { type: 'faster' }, "fit: unknown command 'faster'"],
    ['none', undefined, 'fit: a command must be an object with a type, got undefined'],
    [
      'one that cannot be cloned',
      { type: 'stop', reason: () => {} },
      'fitInWorker: sending a command failed: ',
    ],
  ])('%s is refused, and the run goes on', async (_, command, words) => {
    const commands = new Subject<TrainCommand>()
    // No command, which is the point.
    const wrong = command as unknown as TrainCommand
    const events = await eventsOf(
      inWorker({ steps: 20, budget: 0 }, { commands }).pipe(
        tap((event) => event.type === 'start' && commands.next(wrong)),
      ),
    )
    const refused = events.flatMap((event) => (event.type === 'command' ? [event.refused] : []))
    expect(refused).toEqual([expect.stringContaining(words)])
    expect(events.at(-1)).toMatchObject({ type: 'end', step: 20, reason: 'completed' })
    await untilGone(workers)
  })
})

test('callbacks of the module run inside', async () => {
  const events = await eventsOf(inWorker({ epochs: 9, callbacks: ['earlyStopping'] }))
  expect(events.at(-1)).toMatchObject({
    type: 'end',
    epoch: 2,
    reason: expect.stringContaining('validation.loss has not improved once'),
  })
})

describe('an error', () => {
  test.each([
    [
      'a module that is not there',
      new URL('./worker/nowhere.mjs', import.meta.url),
      /nowhere\.mjs could not be loaded: /,
    ],
    [
      'a module without a default export',
      new URL('./worker/bare.ts', import.meta.url),
      /the default export of .*bare\.ts must be a function, got undefined; write export default \(options\) =>/,
    ],
    [
      'a module that throws while it is loaded',
      'data:text/javascript,throw new RangeError("at once")',
      /could not be loaded: at once/,
    ],
    [
      'a recipe that returns no model',
      'data:text/javascript,export default () => 3',
      /the module must return an object with a model, got a number/,
    ],
    [
      'a recipe whose options fit refuses',
      'data:text/javascript,export default () => ({ model: {} })',
      /fit: the model must be a layer/,
    ],
  ])('%s says so', async (_, url, words) => {
    await expect(result(inModule(url)({}))).rejects.toThrow(words)
  })

  test.each([
    [
      'a function',
      { model: { activation: () => 1 } },
      'got a function at options.model.activation; make it in the module',
    ],
    [
      'a tensor',
      { list: [t.scope(() => t.ones([1]))] },
      'got a Tensor at options.list.0; its memory is of this thread',
    ],
    ['a key', new Map([['key', t.key(1)]]), 'got a Key at a value of options; send the seed'],
    ['a promise', { at: Promise.resolve() }, 'got a Promise at options.at; send plain data'],
    ['a symbol', { at: [Symbol('x')] }, 'got a symbol at options.at.0; send a string'],
  ])('%s in options is refused before a worker starts', (_, options, words) => {
    expect(() => inWorker(options as unknown as Asked)).toThrow(
      `fitInWorker: options must be data that can be cloned, ${words}`,
    )
  })

  test.each([
    [{ watch: ['weight'] }, "fitInWorker: cannot watch 'weight'; use 'weights'"],
    [
      { watch: 'weights' },
      "fitInWorker: watch must be an array of names, got a string; pass watch: ['weights']",
    ],
    [{ watch: ['gradientNorm:x'] }, "fitInWorker: cannot watch 'gradientNorm:x'"],
    [{ every: 0 }, 'fitInWorker: every must be an integer from 1 on, got 0'],
    [{ commands: [] }, 'fitInWorker: commands must be an Observable, got an array'],
    [{ epochs: 3 }, "fitInWorker: unknown option 'epochs'; use watch, every, commands"],
  ])('%j is refused', (given, words) => {
    expect(() => inWorker({}, given as object)).toThrow(words)
  })
})
