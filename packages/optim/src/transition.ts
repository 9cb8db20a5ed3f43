import { failRange, failType, kindOf } from '@tapeflow/autodiff'
import type { Draft, Patch } from 'immer'
import type { Control } from './optimizer.ts'
import { patching } from './patching.ts'
import { type Phase, type PhaseEvent, phases, phaseTable } from './phases.ts'
import { checkNumber, notNegative, positive, type Range } from './range.ts'

/** The machine's state: a few numbers, frozen. An optimizer's `hyper` takes it as its control. */
export interface MachineState extends Control {
  readonly phase: Phase
}

/** What can be sent to the machine. Commands (the last four) are legal in every phase. */
export type MachineEvent =
  | { readonly type: Exclude<PhaseEvent, 'resume'> }
  /** Back to `phase`, `steady` by default. */
  | { readonly type: 'resume'; readonly phase?: Exclude<Phase, 'halted'> }
  /** The rate from now on, whatever schedule and scale say; null gives it back to them. */
  | { readonly type: 'setLearningRate'; readonly value: number | null }
  /** A hyperparameter from now on; null gives it back to the optimizer's options. */
  | { readonly type: 'setHyperparameter'; readonly name: string; readonly value: number | null }
  /** Multiplies `rateScale`. */
  | { readonly type: 'scaleRate'; readonly factor: number }
  /** Takes over a state, such as a checkpoint's. */
  | { readonly type: 'restore'; readonly state: MachineState }

/** One change: its patches turn the old state into the new one, its inverse patches the new one into the old (`patched`). */
export interface Transition {
  readonly state: MachineState
  readonly patches: readonly Patch[]
  readonly inversePatches: readonly Patch[]
}

/** Before any event: idle, nothing scaled or overridden. */
export const initialState: MachineState = Object.freeze({
  phase: 'idle',
  rateScale: 1,
  overrides: Object.freeze({}),
})

const anyNumber: Range = {}
const commands = ['setLearningRate', 'setHyperparameter', 'scaleRate', 'restore']

/**
 * The state after an event, with the patches between the two: a pure function. Phases change as `phaseTable` says;
 * `reset` also takes back scale and overrides. An event that changes nothing returns the same state and no patches.
 *
 * @param names the hyperparameters that may be set (an optimizer's `hyperparameters`); any where it is left out
 * @throws RangeError where the event is not legal in this phase, is unknown, or carries a number out of range or an
 * unknown name; TypeError where it carries the wrong kind
 * @example
 * const { state, patches } = transition({ phase: 'idle', rateScale: 1, overrides: {} }, { type: 'warm' })
 * state.phase // => 'warmup'
 * patches // => [{ op: 'replace', path: ['phase'], value: 'warmup' }]
 */
export function transition(state: MachineState, event: MachineEvent, names?: readonly string[]): Transition {
  if (typeof event !== 'object' || event === null)
    failType('machine', `an event is needed, got ${kindOf(event)}`, "send { type: 'begin' }")
  const change = changeOf(state, event, names)
  const [next, patches, inversePatches] = patching().produceWithPatches(state, change)
  return { state: next, patches, inversePatches }
}

// Everything is checked before the draft is made.
function changeOf(
  state: MachineState,
  event: MachineEvent,
  names: readonly string[] | undefined,
): (draft: Draft<MachineState>) => void {
  switch (event.type) {
    case 'setLearningRate':
      return override('learningRate', event.value)
    case 'setHyperparameter':
      return override(checkName(event.name, names), event.value)
    case 'scaleRate': {
      const scaled = state.rateScale * checkNumber('machine', 'factor', event.factor, positive)
      const rateScale = checkNumber('machine', 'the scaled rateScale', scaled, notNegative)
      return (draft) => {
        draft.rateScale = rateScale
      }
    }
    case 'restore':
      return becoming(checkState(event.state, names))
    case 'reset':
      return becoming(initialState)
    default: {
      const phase = phaseAfter(state, event)
      return (draft) => {
        draft.phase = phase
      }
    }
  }
}

function phaseAfter(
  state: MachineState,
  event: { readonly type: PhaseEvent; readonly phase?: Phase },
): Phase {
  if (!Object.hasOwn(phaseTable, event.type)) {
    const known = [...Object.keys(phaseTable), ...commands].join(', ')
    failRange('machine', `unknown event, got '${event.type}'`, `send one of ${known}`)
  }
  const next = phaseTable[event.type][state.phase]
  if (next === undefined) {
    const legal = Object.entries(phaseTable).filter(([, from]) => from[state.phase] !== undefined)
    const words = legal.map(([type]) => type).join(', ')
    failRange(
      'machine',
      `'${event.type}' is not legal in this phase, got it in '${state.phase}'`,
      `send one of ${words}`,
    )
  }
  if (event.phase === undefined || event.type !== 'resume') return next
  if (event.phase === 'halted' || !phases.includes(event.phase)) {
    failRange(
      'machine',
      `phase to resume must be one of ${phases.slice(0, -1).join(', ')}, got '${event.phase}'`,
    )
  }
  return event.phase
}

function override(name: string, value: number | null): (draft: Draft<MachineState>) => void {
  if (value !== null) checkNumber('machine', name, value, name === 'learningRate' ? notNegative : anyNumber)
  return ({ overrides }) => {
    if (value === null) delete overrides[name]
    // -0, which JSON makes 0 of, is 0 at once.
    else overrides[name] = value + 0
  }
}

// Field by field, so that the patches name what differs and nothing else.
function becoming(target: MachineState): (draft: Draft<MachineState>) => void {
  return (draft) => {
    draft.phase = target.phase
    draft.rateScale = target.rateScale
    for (const name of Object.keys(draft.overrides)) {
      if (!Object.hasOwn(target.overrides, name)) delete draft.overrides[name]
    }
    Object.assign(draft.overrides, target.overrides)
  }
}

/** Checks a state that comes from outside. */
export function checkState(state: MachineState, names: readonly string[] | undefined): MachineState {
  if (typeof state !== 'object' || state === null)
    failType('machine', `state must be an object, got ${kindOf(state)}`)
  const { phase, rateScale, overrides } = state
  if (!phases.includes(phase))
    failRange('machine', `phase must be one of ${phases.join(', ')}, got ${String(phase)}`)
  checkNumber('machine', 'rateScale', rateScale, notNegative)
  if (typeof overrides !== 'object' || overrides === null) {
    failType('machine', `overrides must be an object of numbers, got ${kindOf(overrides)}`)
  }
  for (const [name, value] of Object.entries(overrides)) {
    checkNumber('machine', checkName(name, names), value, name === 'learningRate' ? notNegative : anyNumber)
  }
  return state
}

/** Checks the name of a hyperparameter. */
export function checkName(name: unknown, names: readonly string[] | undefined): string {
  if (typeof name !== 'string') failType('machine', `name must be a string, got ${kindOf(name)}`)
  // What every object has (constructor, __proto__) cannot be told from an override.
  const known =
    names === undefined
      ? name !== '' && !(name in Object.prototype)
      : name === 'learningRate' || names.includes(name)
  if (known) return name
  return failRange(
    'machine',
    `unknown hyperparameter, got '${name}'`,
    names === undefined ? "use an optimizer's" : `use one of ${names.join(', ')}`,
  )
}
