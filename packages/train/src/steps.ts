import * as t from '@tapeflow/autodiff'
import type { Control, Hyper, Optimizer } from '@tapeflow/optim'
import type { TrainBatch } from './batch.ts'
import type { OutputMetric } from './metric-list.ts'
import { none, noPaths } from './run-state.ts'
import type { Shown } from './showing.ts'
import {
  type Carry,
  type Frozen,
  type Passed,
  type Recipe,
  type StepFunctions,
  type StepInputs,
  type Stepped,
  stepFunctions,
} from './step.ts'

/** A run as it stands: what a step is made from, beside the batch. */
export interface Standing<P, S> {
  readonly carry: Carry<P, S>
  readonly step: number
  /** The key of step i is its child i. */
  readonly stepKey: t.Key
  readonly machine: { readonly state: Control }
  readonly sums: { readonly metrics: readonly unknown[] }
  /** The paths of the parameters that stay as they are. */
  readonly frozen: readonly string[]
}

/** What a step made: the next carry, and what its event shows. */
export interface Outcome<P, S> extends Shown<P, S> {
  readonly carry: Carry<P, S>
  /** Read where it is wanted, a number is one object on its way to the event. */
  readonly loss: Pick<t.Tensor, 'item'>
  readonly penalty: Pick<t.Tensor, 'item'> | null
}

/** What was read on the host in the last step or validation, until the next one. */
export interface Readings {
  /** Of the last step. */
  readonly learningRate: number
  /** Each of several losses. */
  readonly losses: Readonly<Record<string, number>>
  /** The state of each metric after it. */
  readonly metrics: readonly unknown[]
}

/** The two programs of a run: what it does with a batch. */
export interface Steps<P, S> {
  readonly readings: Readings
  /** Whether what a step shows beside the carry is the program's own; else it is the caller's to free. */
  readonly compiled: boolean
  /** Parameters, layer state and slots for batches like this one. They are the caller's to free. */
  first(key: t.Key, batch: TrainBatch): Carry<P, S>
  /**
   * One optimizer step. A compiled one writes over the tensors of the old carry, which are then in the new one; what the new
   * one lacks of the old is the caller's to free. What is shown lasts until the next step.
   */
  train(run: Standing<P, S>, batch: TrainBatch): Outcome<P, S>
  /** Forward only: returns the batch's loss; `readings` then has the metrics after it. */
  evaluate(carry: Carry<P, S>, batch: TrainBatch, metrics: readonly unknown[]): number
  /** How many programs of steps there are. */
  readonly recorded: number
  /** What the programs of steps are, by the shape of the batch. */
  programs(): Readonly<Record<string, string>>
  /** Frees what the programs hold. */
  dispose(): void
}

/**
 * The programs of a recipe.
 *
 * @param compile whether they are recorded once for each shape of batch and replayed over the same memory, or run as they are
 * written: both give the same bits
 * @param numerics the numeric mode that programs run in, in the place of strict
 */
export function steps<P extends t.Tree, S extends t.Tree>(
  recipe: Recipe<P, S>,
  compile: boolean,
  numerics?: t.Numerics,
): Steps<P, S> {
  const functions = stepFunctions(recipe)
  const reader = readerOf(recipe)
  return compile ? compiledSteps(functions, recipe, reader, numerics) : eagerSteps(functions, recipe, reader)
}

/** A function that runs as a program. */
interface Program<A extends readonly unknown[], R> {
  (...args: A): R
  readonly '~programs': readonly unknown[]
  dispose(): void
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** Reads on the host what programs return. */
interface Reader {
  readonly readings: Readings
  rate(hyper: Hyper): void
  /** Measures what passed, from the metrics before. */
  measure(passed: Pick<Passed, 'measured' | 'losses'>, metrics: readonly unknown[]): void
}

function readerOf({ metrics }: Pick<Recipe<unknown, unknown>, 'metrics'>): Reader {
  const readings: Mutable<Readings> = { learningRate: Number.NaN, losses: none, metrics: [] }
  return {
    readings,
    rate: ({ learningRate }) => {
      readings.learningRate =
        typeof learningRate === 'number' ? learningRate : (learningRate?.item() ?? Number.NaN)
    },
    measure: ({ measured, losses }, states) => {
      if (losses === null) readings.losses = none
      else {
        readings.losses = Object.fromEntries(Object.entries(losses).map(([name, one]) => [name, one.item()]))
      }
      if (measured !== null) readings.metrics = updated(metrics, states, measured)
    },
  }
}

function updated(
  metrics: readonly OutputMetric[],
  states: readonly unknown[],
  { prediction, target, weights }: NonNullable<Passed['measured']>,
): readonly unknown[] {
  return t.scope(() => metrics.map((metric, i) => metric.update(states[i], prediction, target, weights)))
}

function compiledSteps<P extends t.Tree, S extends t.Tree>(
  { first, train, validate }: StepFunctions<P, S>,
  { optimizer }: Recipe<P, S>,
  reader: Reader,
  numerics: t.Numerics | undefined,
): Steps<P, S> {
  const mode = numerics === undefined ? {} : { numerics }
  type Training = Program<[Carry<P, S>, StepInputs], Stepped<P, S>>
  // One for each set of frozen parameters. None is disposed of before the end: the carry may lie in it.
  const trainings = new Map<string, Training>()
  const trainingWith = (frozen: readonly string[]): Training => {
    const name = frozen.join()
    const made = trainings.get(name) ?? compiled(frozenBy(frozen))
    trainings.set(name, made)
    return made
  }
  const compiled = (isFrozen: Frozen): Training =>
    t.compile(
      (carry: Carry<P, S>, inputs: StepInputs) => {
        recorded++
        const made = train(carry, inputs, isFrozen)
        return { ...made, carry: inOrder(made.carry) }
      },
      { donate: [0], reuse: true, ...mode },
    )
  let frozen = noPaths
  let training = trainingWith(frozen)
  const validating: Program<Parameters<typeof validate>, Passed> = t.compile(validate, {
    reuse: true,
    ...mode,
  })
  // One object for all steps.
  let inputs: Mutable<StepInputs> | null = null
  let known: Carry<P, S> | null = null
  let isScoped = false
  let recorded = 0

  const step = (run: Standing<P, S>, { x, y, weights }: TrainBatch): Outcome<P, S> => {
    const hyper = optimizer.hyper(run.step, run.machine.state)
    inputs ??= { x, y, weights, key: run.stepKey, step: run.step, hyper }
    inputs.x = x
    inputs.y = y
    inputs.weights = weights
    inputs.step = run.step
    inputs.hyper = hyper
    if (run.frozen !== frozen) {
      frozen = run.frozen
      training = trainingWith(frozen)
    }
    const made = training(run.carry === known ? run.carry : inOrder(run.carry), inputs)
    known = made.carry
    reader.rate(hyper)
    try {
      reader.measure(made, run.sums.metrics)
    } catch (cause) {
      // Nobody will hear of this carry, and the old one may be no more.
      for (const x of t.leaves(made.carry)) x.dispose()
      throw cause
    }
    return made
  }
  return {
    readings: reader.readings,
    compiled: true,
    first: (key, { x }) => first(key, x),
    train: (run, batch) => {
      // Scopes are garbage: there is one only where `hyper` makes tensors, which the first step finds out.
      if (known === null) isScoped = makesTensors(optimizer, run)
      return isScoped ? scoped(step, run, batch) : step(run, batch)
    },
    evaluate: ({ params, state }, { x, y, weights }, metrics) => {
      const passed = validating({ params, state }, { x, y, weights })
      reader.measure(passed, metrics)
      return passed.loss.item()
    },
    get recorded() {
      return recorded
    },
    programs: () => {
      const found: Record<string, string> = {}
      for (const [names, one] of trainings) {
        for (const { inputs, fingerprint } of t.programsOf(one, isCarry))
          found[batchIn(inputs, names)] = fingerprint
      }
      return found
    },
    dispose: () => {
      for (const one of trainings.values()) one.dispose()
      validating.dispose()
    },
  }
}

function eagerSteps<P, S>(
  { first, train, validate }: StepFunctions<P, S>,
  { optimizer }: Recipe<P, S>,
  reader: Reader,
): Steps<P, S> {
  return {
    readings: reader.readings,
    compiled: false,
    first: (key, { x }) => first(key, x),
    train: ({ carry, step, stepKey, machine, sums, frozen }, { x, y, weights }) =>
      t.scope(() => {
        const hyper = optimizer.hyper(step, machine.state)
        const made = train(carry, { x, y, weights, key: stepKey, step, hyper }, frozenBy(frozen))
        reader.rate(hyper)
        reader.measure(made, sums.metrics)
        const [loss, penalty] = [read(made.loss), made.penalty === null ? null : read(made.penalty)]
        const { carry: next, gradients, squares, activations } = made
        return { carry: next, loss, penalty, gradients, squares, activations }
      }),
    evaluate: (carry, { x, y, weights }, metrics) =>
      t.scope(() => {
        const passed = validate(carry, { x, y, weights })
        reader.measure(passed, metrics)
        return passed.loss.item()
      }),
    recorded: 0,
    programs: () => ({}),
    dispose: () => {},
  }
}

// What is watched beside it makes no difference to the run.
function isCarry(path: string): boolean {
  return path === 'loss' || path.startsWith('carry.')
}

/** The shapes of a batch, in words, and what is frozen. */
function batchIn(inputs: t.RecordedProgram['inputs'], frozen: string): string {
  const fields = Object.entries(inputs).filter(([name]) => /^1\.(x|y|weights)(\.|$)/.test(name))
  const words = fields.map(([name, shape]) => `${name.slice(2)} ${t.showShape(shape)}`).join(', ')
  return frozen === '' ? words : `${words}, without ${frozen}`
}

function frozenBy(paths: readonly string[]): Frozen {
  if (paths.length === 0) return null
  const set = new Set(paths)
  return (path) => set.has(path)
}

/** A number that lasts longer than its tensor. */
function read(x: t.Tensor): Pick<t.Tensor, 'item'> {
  const value = x.item()
  return { item: () => value }
}

function makesTensors(
  optimizer: Pick<Optimizer<string>, 'hyper'>,
  { step, machine }: Pick<Standing<unknown, unknown>, 'step' | 'machine'>,
): boolean {
  return t.scope(() => {
    const before = t.memory().tensors
    optimizer.hyper(step, machine.state)
    return t.memory().tensors !== before
  })
}

// Apart from where it is called: a function with a closure in it makes garbage even where that is not reached.
function scoped<A extends readonly unknown[], R>(body: (...args: A) => R, ...args: A): R {
  return t.scope(() => body(...args))
}

/** The same tensors with keys in sorted order: a program is recorded for one order, and snapshots come back in this one. */
function inOrder<T>(tree: T): T {
  // Each leaf is its own replacement.
  return t.mapTree(tree, (leaf) => leaf) as T
}
