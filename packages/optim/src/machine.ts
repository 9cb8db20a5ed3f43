import { knownOptions } from '@tapeflow/autodiff'
import {
  checkState,
  initialState,
  type MachineEvent,
  type MachineState,
  type Transition,
  transition,
} from './transition.ts'

/** What `machine` returns: the current state, and the one way to change it. */
export interface Machine {
  /** Frozen; another object after each change. */
  readonly state: MachineState
  /** Moves to the state after `event` and returns it with its patches; an error leaves the state as it was. */
  send(event: MachineEvent): Transition
}

/** What `machine` takes besides its first state. */
export interface MachineOptions {
  /** The names that may be set: an optimizer's `hyperparameters`. Any where it is left out. */
  readonly hyperparameters?: readonly string[]
}

/**
 * A holder of the run's control state: `{ phase, rateScale, overrides }`, moved by events. All rules are in `transition`,
 * a pure function; the state changes on phases and commands only, never per step.
 *
 * The learning rate of a step is schedule(step) · rateScale, or `overrides.learningRate` where that is set.
 *
 * @param state where to start, as far as it differs from idle with scale 1 and no overrides
 * @param options.hyperparameters the names that may be set
 * @throws RangeError where a number or a name is not allowed; TypeError where the kind is wrong
 * @example
 * const optimizer = adam({ learningRate: 0.5 })
 * const control = machine({}, { hyperparameters: optimizer.hyperparameters })
 * control.send({ type: 'begin' }).state.phase // => 'steady'
 * control.send({ type: 'scaleRate', factor: 0.5 })
 * optimizer.hyper(0, control.state).learningRate // => 0.25
 */
export function machine(state: Partial<MachineState> = {}, options: MachineOptions = {}): Machine {
  const { hyperparameters } = knownOptions('machine', options, 'hyperparameters')
  const { phase, rateScale, overrides } = checkState({ ...initialState, ...state }, hyperparameters)
  let current: MachineState = Object.freeze({ phase, rateScale, overrides: Object.freeze({ ...overrides }) })
  return {
    get state() {
      return current
    },
    send: (event) => {
      const made = transition(current, event, hyperparameters)
      current = made.state
      return made
    },
  }
}
