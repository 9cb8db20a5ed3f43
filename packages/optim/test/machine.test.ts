import {
  adam,
  type MachineEvent,
  type MachineState,
  machine,
  type Patch,
  type Phase,
  patched,
  phases,
  type Transition,
  transition,
} from '@tapeflow/optim'
import fc from 'fast-check'
import { applyPatches } from 'immer'
import { describe, expect, test } from 'vitest'
import { refusal } from './refusal.ts'

const names = ['learningRate', 'beta1', 'epsilon']

// The legal moves, written out once more: phase, event, phase.
const moves = `
  idle begin steady      idle warm warmup       idle halt halted       idle reset idle
  warmup steady steady   warmup halt halted     warmup reset idle
  steady plateau plateau steady warm warmup     steady halt halted     steady reset idle
  plateau steady steady  plateau warm warmup    plateau halt halted    plateau reset idle
  halted resume steady   halted reset idle`
  .trim()
  .split(/\s+/)
const legal = new Map<string, string>()
for (let i = 0; i < moves.length; i += 3) legal.set(`${moves[i]} ${moves[i + 1]}`, moves[i + 2]!)

/** What the state becomes; null where the event is refused. */
function model(state: MachineState, event: MachineEvent): MachineState | null {
  const overridden = (name: string, value: number | null): MachineState | null => {
    if (!names.includes(name) || (value !== null && !Number.isFinite(value))) return null
    if (name === 'learningRate' && value !== null && value < 0) return null
    const { [name]: _, ...others } = state.overrides
    return { ...state, overrides: value === null ? others : { ...others, [name]: value + 0 } }
  }
  switch (event.type) {
    case 'setLearningRate':
      return overridden('learningRate', event.value)
    case 'setHyperparameter':
      return overridden(event.name, event.value)
    case 'scaleRate': {
      const rateScale = state.rateScale * event.factor
      return event.factor > 0 && Number.isFinite(rateScale) ? { ...state, rateScale } : null
    }
    case 'restore':
      return event.state
    default: {
      const phase = legal.get(`${state.phase} ${event.type}`)
      if (phase === undefined) return null
      if (event.type === 'reset') return { phase: 'idle', rateScale: 1, overrides: {} }
      return {
        ...state,
        phase: event.type === 'resume' && event.phase !== undefined ? event.phase : (phase as Phase),
      }
    }
  }
}

const value = fc.oneof(
  fc.constantFrom<number | null>(null, 0, -1, Number.NaN, Number.POSITIVE_INFINITY),
  fc.double(),
)
const factor = fc.oneof(
  fc.constantFrom(0.5, 2, 0, -1, Number.NaN, Number.POSITIVE_INFINITY),
  fc.double({ min: 1e-3, max: 1e3 }),
)
const restored = fc.record({
  phase: fc.constantFrom<Phase>('idle', 'warmup', 'steady', 'plateau', 'halted'),
  rateScale: fc.double({ min: 0, max: 8, noNaN: true }),
  overrides: fc.dictionary(fc.constantFrom(...names), fc.double({ min: 0, max: 1, noNaN: true }), {
    noNullPrototype: true,
  }),
})
const moving = fc.constantFrom('begin', 'warm', 'steady', 'plateau', 'halt', 'resume', 'reset')
const events: fc.Arbitrary<MachineEvent> = fc.oneof(
  { weight: 6, arbitrary: moving.map((type) => ({ type }) as MachineEvent) },
  fc.constantFrom<MachineEvent>({ type: 'resume', phase: 'warmup' }, { type: 'resume', phase: 'plateau' }),
  value.map((rate): MachineEvent => ({ type: 'setLearningRate', value: rate })),
  fc
    .tuple(fc.constantFrom(...names, 'momentum'), value)
    .map(([name, to]): MachineEvent => ({ type: 'setHyperparameter', name, value: to })),
  factor.map((by): MachineEvent => ({ type: 'scaleRate', factor: by })),
  restored.map((state): MachineEvent => ({ type: 'restore', state })),
)

test('any events lead where the model says, or are refused and change nothing; patches lead there and back', () => {
  let accepted = 0
  let refused = 0
  fc.assert(
    fc.property(fc.array(events, { maxLength: 30 }), (sent) => {
      const run = machine({}, { hyperparameters: names })
      let wanted: MachineState = { phase: 'idle', rateScale: 1, overrides: {} }
      for (const event of sent) {
        const old = run.state
        const next = model(wanted, event)
        if (next === null) {
          refused++
          expect(() => run.send(event)).toThrow(/^machine: /)
          expect(run.state).toBe(old)
          continue
        }
        accepted++
        const { state, patches, inversePatches } = run.send(event)
        wanted = next
        expect(state).toEqual(wanted)
        expect(run.state).toBe(state)
        expect(applyPatches(old, [...patches])).toEqual(state)
        expect(applyPatches(state, [...inversePatches])).toEqual(old)
        expect([Object.isFrozen(state), Object.isFrozen(state.overrides)]).toEqual([true, true])
      }
    }),
  )
  expect(Math.min(accepted, refused)).toBeGreaterThan(100)
})

/** What a random history of events did: a transition for each that was accepted. */
function historyOf(sent: readonly MachineEvent[]): { start: MachineState; made: readonly Transition[] } {
  const run = machine({}, { hyperparameters: names })
  const start = run.state
  const made = sent.flatMap((event) => (model(run.state, event) === null ? [] : [run.send(event)]))
  return { start, made }
}

describe('patches', () => {
  const histories = fc.array(events, { minLength: 1, maxLength: 40 }).map(historyOf)
  const asJson = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

  test('walk a whole history there, and all the way back', () => {
    fc.assert(
      fc.property(histories, ({ start, made }) => {
        const there = made.reduce<MachineState>((state, { patches, state: wanted }) => {
          const next = patched(state, patches, names)
          expect(next).toEqual(wanted)
          return next
        }, start)
        made.reduceRight<MachineState>((state, { inversePatches }, i) => {
          const before = patched(state, inversePatches, names)
          expect(before).toEqual(made[i - 1]?.state ?? start)
          expect([Object.isFrozen(before), Object.isFrozen(before.overrides)]).toEqual([true, true])
          return before
        }, there)
      }),
    )
  })
  test('of several transitions go in one after the other, inverse ones from the last on', () => {
    fc.assert(
      fc.property(histories, ({ start, made }) => {
        const end = made.at(-1)?.state ?? start
        expect(
          patched(
            start,
            made.flatMap(({ patches }) => patches),
          ),
        ).toEqual(end)
        const back = made.toReversed().flatMap(({ inversePatches }) => inversePatches)
        expect(patched(end, back)).toEqual(start)
      }),
    )
  })
  test.each([
    ['JSON', asJson],
    ['structuredClone', structuredClone],
  ])('a monitor that gets nothing else holds the same state, through %s', (_, sent) => {
    fc.assert(
      fc.property(histories, ({ start, made }) => {
        let held = sent(start)
        for (const { state, patches } of made) {
          held = patched(held, sent(patches))
          expect(held).toEqual(state)
          expect(sent(state)).toEqual(state)
        }
      }),
    )
  })
  test('bring the machine back by restore, and the monitor with it', () => {
    fc.assert(
      fc.property(histories, ({ start, made }) => {
        const run = machine(made.at(-1)?.state ?? start, { hyperparameters: names })
        let held = run.state
        for (const { inversePatches } of made.toReversed()) {
          const state = patched(run.state, inversePatches, names)
          const { patches } = run.send({ type: 'restore', state })
          held = patched(held, patches)
          expect(run.state).toEqual(state)
          expect(held).toEqual(state)
        }
        expect(run.state).toEqual(start)
      }),
    )
  })
  test('-0, which JSON would make 0 of, is 0 in the state', () => {
    const { state } = transition(machine().state, { type: 'setHyperparameter', name: 'beta1', value: -0 })
    expect(state.overrides).toEqual({ beta1: 0 })
  })
  test('leave the state that they are applied to as it was, and none is that state', () => {
    const { state: before } = machine()
    const { patches } = transition(before, { type: 'warm' })
    expect(patched(before, patches).phase).toBe('warmup')
    expect(before.phase).toBe('idle')
    expect(patched(before, [])).toBe(before)
  })
})

test('each event is accepted in its phases and in no other, with an error that names those that are', () => {
  const accepted = (phase: Phase): string[] =>
    (['begin', 'warm', 'steady', 'plateau', 'halt', 'resume', 'reset'] as const).filter(
      (type) => legal.get(`${phase} ${type}`) !== undefined,
    )
  for (const phase of phases) {
    for (const type of ['begin', 'warm', 'steady', 'plateau', 'halt', 'resume', 'reset'] as const) {
      const send = (): unknown => machine({ phase }).send({ type }).state.phase
      if (accepted(phase).includes(type)) expect(send()).toBe(legal.get(`${phase} ${type}`))
      else {
        expect(send).toThrow(
          refusal(
            RangeError,
            `machine: '${type}' is not legal in this phase, got it in '${phase}'; send one of ${accepted(phase).join(', ')}`,
          ),
        )
      }
    }
  }
})

describe('transition', () => {
  const steady: MachineState = { phase: 'steady', rateScale: 2, overrides: { beta1: 0.5 } }

  test('is pure: the old state stays, the same event gives the same', () => {
    const event: MachineEvent = { type: 'scaleRate', factor: 0.5 }
    expect(transition(steady, event)).toEqual(transition(steady, event))
    expect(steady).toEqual({ phase: 'steady', rateScale: 2, overrides: { beta1: 0.5 } })
  })
  test('patches name what differs and nothing else', () => {
    const { patches, inversePatches } = transition(steady, { type: 'setLearningRate', value: 0.1 })
    expect(patches).toEqual([{ op: 'add', path: ['overrides', 'learningRate'], value: 0.1 }])
    expect(inversePatches).toEqual([{ op: 'remove', path: ['overrides', 'learningRate'] }])
  })
  test('an event that changes nothing returns the same state and no patches', () => {
    const same = transition(steady, { type: 'setHyperparameter', name: 'beta1', value: 0.5 })
    expect(same.state).toBe(steady)
    expect([same.patches, same.inversePatches]).toEqual([[], []])
  })
  test('a state restored later than it was saved is the state that was saved', () => {
    const saved = structuredClone(steady)
    const later = transition(steady, { type: 'reset' }).state
    expect(transition(later, { type: 'restore', state: saved }).state).toEqual(steady)
  })
})

describe('machine', () => {
  test('starts idle, or where it is told', () => {
    expect(machine().state).toEqual({ phase: 'idle', rateScale: 1, overrides: {} })
    expect(machine({ phase: 'halted', rateScale: 0.5 }).state).toEqual({
      phase: 'halted',
      rateScale: 0.5,
      overrides: {},
    })
  })
  test('is the control of an optimizer', () => {
    const optimizer = adam({ learningRate: 0.5 })
    const run = machine({}, { hyperparameters: optimizer.hyperparameters })
    run.send({ type: 'setHyperparameter', name: 'beta1', value: 0.25 })
    run.send({ type: 'scaleRate', factor: 0.5 })
    expect(optimizer.hyper(0, run.state)).toMatchObject({ beta1: 0.25, learningRate: 0.25 })
    run.send({ type: 'setLearningRate', value: 3 })
    expect(optimizer.hyper(0, run.state).learningRate).toBe(3)
    run.send({ type: 'setLearningRate', value: null })
    expect(optimizer.hyper(0, run.state).learningRate).toBe(0.25)
  })
  test('does not keep an object that its maker may change', () => {
    const overrides: Record<string, number> = { beta1: 0.5 }
    const run = machine({ overrides })
    overrides.beta1 = 9
    expect(run.state.overrides).toEqual({ beta1: 0.5 })
  })
})

describe('refused', () => {
  const send =
    (event: unknown, state: Partial<MachineState> = {}, known: readonly string[] = names) =>
    () =>
      machine(state, { hyperparameters: known }).send(event as MachineEvent)
  const apply = (patches: readonly Patch[]) => () => patched(machine().state, patches, names)
  test.each([
    [
      send({ type: 'begin' }, { phase: 'steady' }),
      RangeError,
      "machine: 'begin' is not legal in this phase, got it in 'steady'; send one of warm, plateau, halt, reset",
    ],
    [
      send({ type: 'warm' }, { phase: 'halted' }),
      RangeError,
      "machine: 'warm' is not legal in this phase, got it in 'halted'; send one of resume, reset",
    ],
    [
      send({ type: 'explode' }),
      RangeError,
      "machine: unknown event, got 'explode'; send one of begin, warm, steady, plateau, halt, resume, reset, setLearningRate, setHyperparameter, scaleRate, restore",
    ],
    [send('begin'), TypeError, "machine: an event is needed, got a string; send { type: 'begin' }"],
    [
      send({ type: 'resume', phase: 'halted' }, { phase: 'halted' }),
      RangeError,
      "machine: phase to resume must be one of idle, warmup, steady, plateau, got 'halted'",
    ],
    [
      send({ type: 'setLearningRate', value: -1 }),
      RangeError,
      'machine: learningRate must be a finite number from 0 on, got -1',
    ],
    [
      send({ type: 'setLearningRate' }),
      TypeError,
      'machine: learningRate must be a finite number from 0 on, got undefined',
    ],
    [
      send({ type: 'setHyperparameter', name: 'beta9', value: 1 }),
      RangeError,
      "machine: unknown hyperparameter, got 'beta9'; use one of learningRate, beta1, epsilon",
    ],
    [
      send({ type: 'setHyperparameter', name: 'beta1', value: '1' }),
      TypeError,
      'machine: beta1 must be a finite number, got a string',
    ],
    [
      send({ type: 'setHyperparameter', value: 1 }),
      TypeError,
      'machine: name must be a string, got undefined',
    ],
    [
      send({ type: 'scaleRate', factor: 0 }),
      RangeError,
      'machine: factor must be a finite number above 0, got 0',
    ],
    [
      send({ type: 'scaleRate', factor: 1e300 }, { rateScale: 1e300 }),
      RangeError,
      'machine: the scaled rateScale must be a finite number from 0 on, got Infinity',
    ],
    [send({ type: 'restore' }), TypeError, 'machine: state must be an object, got undefined'],
    [
      send({ type: 'restore', state: { phase: 'lost', rateScale: 1, overrides: {} } }),
      RangeError,
      'machine: phase must be one of idle, warmup, steady, plateau, halted, got lost',
    ],
    [
      send({ type: 'restore', state: { phase: 'idle', rateScale: -1, overrides: {} } }),
      RangeError,
      'machine: rateScale must be a finite number from 0 on, got -1',
    ],
    [
      send({ type: 'restore', state: { phase: 'idle', rateScale: 1 } }),
      TypeError,
      'machine: overrides must be an object of numbers, got undefined',
    ],
    [apply('[]' as never), TypeError, 'patched: patches must be an array, got a string'],
    [apply([null as never]), TypeError, 'patched: patch 0 must be { op, path, value }, got null'],
    [
      apply([{ op: 'replace', path: 'phase' as never, value: 'steady' }]),
      TypeError,
      'patched: patch 0 must be { op, path, value }, got an object',
    ],
    [
      apply([{ op: 'move' as never, path: ['phase'] }]),
      RangeError,
      'patched: op of patch 0 must be one of add, replace, remove, got move',
    ],
    [
      apply([
        { op: 'replace', path: ['phase'], value: 'steady' },
        { op: 'add', path: ['slots', 'm'], value: 1 },
      ]),
      RangeError,
      "patched: path of patch 1 must be phase, rateScale or overrides and a name, got 'slots.m'; pass a transition's patches",
    ],
    [
      apply([{ op: 'replace', path: [], value: {} }]),
      RangeError,
      "patched: path of patch 0 must be phase, rateScale or overrides and a name, got ''; pass a transition's patches",
    ],
    [
      apply([{ op: 'add', path: ['overrides', '__proto__'], value: 1 }]),
      RangeError,
      "machine: unknown hyperparameter, got '__proto__'; use one of learningRate, beta1, epsilon",
    ],
    [
      apply([{ op: 'replace', path: ['phase'], value: 'lost' }]),
      RangeError,
      'machine: phase must be one of idle, warmup, steady, plateau, halted, got lost',
    ],
    [
      apply([{ op: 'remove', path: ['rateScale'] }]),
      TypeError,
      'machine: rateScale must be a finite number from 0 on, got undefined',
    ],
    [
      apply([{ op: 'add', path: ['overrides', 'beta1'], value: null }]),
      TypeError,
      'machine: beta1 must be a finite number, got null',
    ],
    [
      () => machine({ overrides: { constructor: 1 } as never }),
      RangeError,
      "machine: unknown hyperparameter, got 'constructor'; use an optimizer's",
    ],
  ] as const)('%s', (call, kind, message) => {
    expect(call).toThrow(refusal(kind, message))
  })
})
