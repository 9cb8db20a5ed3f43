import * as t from '@tapeflow/autodiff'
import { operations } from '@tapeflow/autodiff/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Argument, type Line, programOf, reads } from '../src/arbitraries/program-lines.ts'
import { callers } from '../src/arbitraries/program-operations.ts'
import { assertCompiledEqualsEager, type CompiledOptions, type Program, programs } from '../src/index.ts'

const many: readonly Program[] = fc.sample(programs({ gradients: true }), { numRuns: 2000, seed: 1 })

type Input = t.Tensor | t.Key | number

/** Calls `use` with the inputs of a program and with the others, and frees what is made. */
function withInputs<R>(program: Program, use: (inputs: readonly Input[], others: readonly Input[]) => R): R {
  return t.scope(() => {
    const { inputs, others } = t.fromSnapshot({ inputs: program.inputs, others: program.others })
    return use(inputs, others)
  })
}

const numbers = (tensors: readonly t.Tensor[]): Float32Array[] => tensors.map((x) => x.toFloat32Array())

/** The names of the functions that a line calls. */
function called(made: Argument | Line['made']): readonly string[] {
  if (made.kind === 'gradient') return ['grad', ...made.body.flatMap((line) => called(line.made))]
  if (made.kind === 'call') return [made.name, ...made.given.flatMap(called)]
  return made.kind === 'list' ? made.items.flatMap(called) : []
}

describe('programs', () => {
  const has = (name: string) => (program: Program) =>
    program.lines.some(({ made }) => called(made).includes(name))
  const isOutput = ({ outputs }: Program, { index }: Line): boolean => outputs.includes(index)
  const isView = ({ made }: Line): boolean => made.kind === 'call' && /reshape|slice/.test(made.name)
  const allReads = ({ lines }: Program): readonly number[] => lines.flatMap(({ made }) => reads(made))
  const hasSize = (size: number) => (program: Program) =>
    program.inputs.some((input) => shapeOf(input).includes(size))
  const isTensor = (input: Program['inputs'][number]): input is t.Snapshot =>
    typeof input === 'object' && 'shape' in input
  const shapeOf = (input: Program['inputs'][number]): t.Shape => (isTensor(input) ? input.shape : [])

  const features: Readonly<Record<string, (program: Program) => boolean>> = {
    ...Object.fromEntries(operations.map(({ operation }) => [`call ${operation.name}`, has(operation.name)])),
    'draw normal numbers': has('normal'),
    'draw normal numbers that are cut off': has('truncatedNormal'),
    'draw uniform numbers': has('uniform'),
    'draw zeros and ones': has('bernoulli'),
    'draw permutations': has('permutation'),
    'derive keys': has('foldIn'),
    'take gradients': has('grad'),
    'take gradients of gradients': ({ lines }) =>
      lines.some(
        ({ made }) => made.kind === 'gradient' && made.body.some((line) => line.made.kind === 'gradient'),
      ),
    'take keys': ({ inputs }) => inputs.some((input) => input instanceof t.Key),
    'take numbers': ({ inputs }) => inputs.some((input) => typeof input === 'number'),
    'have 25 lines and more': ({ lines }) => lines.length >= 25,
    'use values several times': (program) => new Set(allReads(program)).size < allReads(program).length,
    'have values that nobody uses': (program) =>
      program.lines.some((line) => !isOutput(program, line) && !allReads(program).includes(line.index)),
    'repeat lines': ({ lines }) => new Set(lines.map(({ made }) => JSON.stringify(made))).size < lines.length,
    'return inputs': ({ inputs, outputs }) => outputs.some((index) => index < inputs.length),
    'return values twice': ({ outputs }) => new Set(outputs).size < outputs.length,
    'return views of inputs': (program) =>
      program.lines.some(
        (line) => isView(line) && isOutput(program, line) && reads(line.made)[0]! < program.inputs.length,
      ),
    'return views of computed values': (program) =>
      program.lines.some(
        (line) => isView(line) && isOutput(program, line) && reads(line.made)[0]! >= program.inputs.length,
      ),
    'return constants': (program) =>
      program.lines.some((line) => isOutput(program, line) && reads(line.made).length === 0),
    ...Object.fromEntries([0, 1, 3, 5, 17, 33].map((size) => [`have axes of size ${size}`, hasSize(size)])),
  }

  it('can call every operation: one that is new may need a way to be called', () => {
    const unknown = operations.map(({ operation }) => operation.name).filter((name) => !callers.has(name))
    expect(unknown, 'say how in property-tests/src/arbitraries/program-operations.ts').toEqual([])
  })

  for (const [feature, isFound] of Object.entries(features)) {
    it(`${feature}, in 2,000 not just once`, () => {
      expect(many.filter(isFound).length).toBeGreaterThanOrEqual(20)
    })
  }

  it('call what they are told to, and refuse what is not there, in exact words', () => {
    const named = fc.sample(programs({ operations: ['tanh', 'matmul'] }), { numRuns: 100, seed: 1 })
    const names = new Set(named.flatMap(({ lines }) => lines.flatMap(({ made }) => called(made))))
    const drawn = 'full tensor arange eye normal truncatedNormal uniform bernoulli permutation foldIn'.split(
      ' ',
    )
    const tamed = ['square', 'add']
    const others = [...names].filter((name) => !drawn.includes(name) && !tamed.includes(name))
    expect(others.sort()).toEqual(['matmul', 'tanh'])
    expect(() => programs({ operations: ['tan', 'h'] })).toThrow('programs: there is no operation h to call')
  })

  it('name the inputs that hold whole numbers', () => {
    const indices = many.flatMap(({ inputs, fixed }) => fixed.map((path) => inputs[Number(path)]!))
    expect(indices.length).toBeGreaterThan(100)
    for (const input of indices) expect(isTensor(input) && input.values.every(Number.isInteger)).toBe(true)
  })

  it('take no gradients unless asked to', () => {
    expect(fc.sample(programs(), { numRuns: 300, seed: 1 }).some(has('grad'))).toBe(false)
  })

  it('compute the same twice, other numbers on other inputs, and are finite mostly', () => {
    let [finite, total, same] = [0, 0, 0]
    for (const program of many) {
      const [once, again, other] = withInputs(program, (inputs, others) =>
        [inputs, inputs, others].map((given) => numbers(program.run(given))),
      )
      expect(again).toEqual(once)
      expect(other!.map((values) => values.length)).toEqual(once!.map((values) => values.length))
      if (String(other) === String(once)) same++
      for (const values of once!) {
        total += values.length
        finite += values.filter((x) => Number.isFinite(x)).length
      }
    }
    expect(finite / total).toBeGreaterThan(0.97)
    expect(finite).toBeLessThan(total)
    // Those that return nothing but constants, comparisons and what is empty.
    expect(same / many.length).toBeLessThan(0.25)
  })

  it('print code that computes what they do', async () => {
    const some = many.slice(0, 300)
    const runs = await runnable(some.map(String))
    for (const [i, program] of some.entries()) {
      const [expected, printed] = withInputs(program, (inputs, others) =>
        [[...program.run(inputs), ...program.run(others)], runs[i]!()].map(numbers),
      )
      expect(printed).toEqual(expected)
    }
  })
})

/** What runs each program from its code, without the types, and gives its outputs and those of the others. */
async function runnable(codes: readonly string[]): Promise<readonly (() => readonly t.Tensor[])[]> {
  const functions = codes.map((code) => {
    const script = code.replace(/^import .*$/m, '').replaceAll(/(v\d+): (t\.Tensor|t\.Key|number)/g, '$1')
    return `(t) => {${script}return [...outputs, ...others]}`
  })
  const source = `export default [${functions.join(',\n')}]`
  const module: { default: ((library: typeof t) => readonly t.Tensor[])[] } = await import(
    /* @vite-ignore */ `data:text/javascript,${encodeURIComponent(source)}`
  )
  return module.default.map((run) => () => run(t))
}

const long = import.meta.env['LONG'] === '1'
const firstSeed = long ? Date.now() % 2 ** 31 : 20261122

describe('compiled programs equal eager ones', () => {
  // What is donated must not depend on the lines: then they could not be left out one by one.
  const ways: readonly (readonly [name: string, options: (program: Program) => CompiledOptions])[] = [
    ['', () => ({})],
    [', inputs donated', ({ inputs }) => ({ donate: [...inputs.keys()] })],
    [', results reused', () => ({ reuse: true })],
    [
      ', every other input donated and results reused',
      ({ inputs }) => ({ donate: [...inputs.keys()].filter((i) => i % 2 === 0), reuse: true }),
    ],
  ]
  const [parts, runs] = long ? [20, 5000] : [4, 500]

  for (let part = 0; part < parts!; part++) {
    const [way, options] = ways[part % ways.length]!
    it(`in ${runs} programs${way}, part ${part + 1} of ${parts}`, () => {
      const property = fc.property(programs({ gradients: true }), (program) =>
        withInputs(program, (inputs, others) =>
          assertCompiledEqualsEager(program.run, inputs, { ...options(program), others }),
        ),
      )
      fc.assert(property, { seed: firstSeed + part, numRuns: runs! })
    })
  }

  it('or shrink to a line or two: a compiler that negates relu is found out', async () => {
    const found: Program[] = []
    const negated = (line: Line): Line =>
      line.made.kind === 'call' && line.made.name === 'relu'
        ? { ...line, made: { kind: 'call', name: 'neg', given: [line.made] } }
        : line
    for (let seed = 1; seed <= 10; seed++) {
      let calls = 0
      const property = fc.property(programs(), (program) => {
        calls++
        const { inputs: plain, others: otherPlain, lines, outputs } = program
        const wrong = programOf(plain, otherPlain, lines.map(negated), outputs)
        withInputs(program, (inputs, others) =>
          assertCompiledEqualsEager(program.run, inputs, {
            others,
            compiler: (_, options) => t.compile((...args) => wrong.run(args as readonly Input[]), options),
          }),
        )
      })
      const { counterexample } = fc.check(property, { seed, numRuns: 500 })
      const program = counterexample![0]
      expect(program.lines.length).toBeLessThanOrEqual(3)
      expect(String(program)).toContain('t.relu(')
      const sizes = program.inputs.map((x) => (typeof x === 'object' && 'values' in x ? x.values.length : 1))
      expect(Math.max(...sizes)).toBeLessThanOrEqual(4)
      // A thousand or so take a second: what takes no time cannot decide a test.
      expect(calls).toBeLessThan(3000)
      found.push(program)
    }
    const runs = await runnable(found.map(String))
    for (const [i, run] of runs.entries()) {
      t.scope(() => expect(run()).toHaveLength(2 * found[i]!.outputs.length))
    }
  })
})
