/** Where a run is: before it, warming up, running, running without progress, or stopped. */
export type Phase = 'idle' | 'warmup' | 'steady' | 'plateau' | 'halted'

/** What moves a run to another phase. */
export type PhaseEvent = 'begin' | 'warm' | 'steady' | 'plateau' | 'halt' | 'resume' | 'reset'

/** Every phase, in the order in which a run meets them. */
export const phases: readonly Phase[] = Object.freeze(['idle', 'warmup', 'steady', 'plateau', 'halted'])

/**
 * Which phase an event leads to, by the phase it comes in; where there is no entry the event is refused.
 *
 *     idle --begin--> steady <--> plateau        any --reset--> idle
 *     idle --warm--> warmup --steady--> steady   any but halted --halt--> halted --resume--> steady, or where it says
 *
 * @example
 * phaseTable.warm // => { idle: 'warmup', steady: 'warmup', plateau: 'warmup' }
 */
export const phaseTable: { readonly [E in PhaseEvent]: { readonly [P in Phase]?: Phase } } = {
  begin: { idle: 'steady' },
  warm: { idle: 'warmup', steady: 'warmup', plateau: 'warmup' },
  steady: { warmup: 'steady', plateau: 'steady' },
  plateau: { steady: 'plateau' },
  halt: { idle: 'halted', warmup: 'halted', steady: 'halted', plateau: 'halted' },
  resume: { halted: 'steady' },
  reset: { idle: 'idle', warmup: 'idle', steady: 'idle', plateau: 'idle', halted: 'idle' },
}
