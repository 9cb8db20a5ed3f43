import * as t from '@tapeflow/autodiff'
import {
  type Machine,
  type MachineEvent,
  type MachineState,
  machine,
  type Optimizer,
  phaseTable,
  transition,
} from '@tapeflow/optim'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Params, problems } from './problems.ts'
import { rows } from './rows/index.ts'

/** What an event is made of, whatever the optimizer calls its hyperparameters. */
interface Wish {
  readonly kind: 'learningRate' | 'hyperparameter' | 'scale' | 'phase'
  readonly which: number
  readonly value: number | null
}

/** The event that is wished for; null where it is none, or none that this optimizer takes now. */
function eventOf(optimizer: Optimizer<string>, state: MachineState, wish: Wish): MachineEvent | null {
  const { kind, which, value } = wish
  switch (kind) {
    case 'learningRate':
      return { type: 'setLearningRate', value: value === null ? null : value / 100 }
    case 'scale':
      return value === null || value === 0 ? null : { type: 'scaleRate', factor: value }
    case 'phase': {
      const types = Object.keys(phaseTable) as (keyof typeof phaseTable)[]
      const type = types[which % types.length]!
      return phaseTable[type][state.phase] === undefined ? null : { type }
    }
    default: {
      const names = optimizer.hyperparameters.filter((name) => name !== 'learningRate')
      if (names.length === 0) return null
      const event = { type: 'setHyperparameter', name: names[which % names.length]!, value } as const
      return isTaken(optimizer, transition(state, event).state) ? event : null
    }
  }
}

/** Only an optimizer knows the ranges of its hyperparameters. */
function isTaken(optimizer: Optimizer<string>, control: MachineState): boolean {
  try {
    optimizer.hyper(0, control)
    return true
  } catch (error) {
    expect(error).toBeInstanceOf(RangeError)
    return false
  }
}

interface Run {
  readonly params: Params
  readonly slots: Record<string, Params>
  readonly step: number
}

const problem = problems.at(-1)!
const evaluate = t.valueAndGrad(problem.loss)

/** So many updates on from `start`, each behind the events that are wished for before it. Returns how many events were sent. */
function walk(
  optimizer: Optimizer<string>,
  control: Machine,
  start: Run,
  wishes: readonly (Wish | null)[],
): { run: Run; sent: number } {
  let sent = 0
  const run = t.fold(start, wishes, ({ params, slots, step }, wish) => {
    const event = wish === null ? null : eventOf(optimizer, control.state, wish)
    if (event !== null) {
      control.send(event)
      sent++
    }
    const at = (where: Params): { value: t.Tensor; gradients: Params } => evaluate(where, step)
    const next = optimizer.update(
      at(params).gradients,
      slots,
      params,
      optimizer.hyper(step, control.state),
      at,
    )
    return { ...next, step: step + 1 }
  })
  return { run, sent }
}

/** As text, in which tensors are the bits of their numbers. */
const toText = (run: Run, control: MachineState): string =>
  JSON.stringify({ run: t.toSnapshot(run), control }, (_, value: unknown) =>
    value instanceof Float32Array ? { bits: [...new Uint32Array(value.slice().buffer)] } : value,
  )

function fromText(text: string): { run: Run; control: MachineState } {
  const { run, control } = JSON.parse(text, (_, value: unknown) =>
    typeof value === 'object' && value !== null && 'bits' in value
      ? new Float32Array(Uint32Array.from(value.bits as number[]).buffer)
      : value,
  ) as { run: Parameters<typeof t.fromSnapshot>[0]; control: MachineState }
  return { run: t.fromSnapshot(run) as Run, control }
}

const value = fc.constantFrom(null, 0, 1e-3, 0.25, 0.5, 0.75, 0.9, 0.999, 1, 2, 3)
const wish: fc.Arbitrary<Wish | null> = fc.option(
  fc.record({
    kind: fc.constantFrom(
      'learningRate' as const,
      'hyperparameter' as const,
      'hyperparameter' as const,
      'scale' as const,
      'phase' as const,
    ),
    which: fc.nat(1000),
    value,
  }),
  { freq: 3 },
)
const history = fc.array(wish, { minLength: 2, maxLength: 24 })

describe.each(rows)('$name', ({ optimizer }) => {
  const made = (): { optimizer: Optimizer<string>; control: Machine; start: Run } => {
    const own = optimizer(problem.rate)
    const params = problem.start()
    const control = machine({}, { hyperparameters: own.hyperparameters })
    return { optimizer: own, control, start: { params, slots: own.init(params), step: 0 } }
  }

  test('N + M steps are N, save as text, load, M, bit for bit, whatever commands come in between', () => {
    let commands = 0
    const check = (wishes: readonly (Wish | null)[], at: number): void => {
      const saved = at % wishes.length
      const whole = t.scope(() => {
        const { optimizer, control, start } = made()
        const { run, sent } = walk(optimizer, control, start, wishes)
        commands += sent
        return toText(run, control.state)
      })
      const text = t.scope(() => {
        const { optimizer, control, start } = made()
        return toText(walk(optimizer, control, start, wishes.slice(0, saved)).run, control.state)
      })
      const resumed = t.scope(() => {
        // Another optimizer and another machine: what they remember is in the text, all of it.
        const { run, control } = fromText(text)
        const own = optimizer(problem.rate)
        const held = machine(control, { hyperparameters: own.hyperparameters })
        return toText(walk(own, held, run, wishes.slice(saved)).run, held.state)
      })
      expect(resumed).toBe(whole)
    }
    fc.assert(fc.property(history, fc.nat(1000), check), { numRuns: 8, seed: 7 })
    expect(commands).toBeGreaterThan(10)
  })
})
