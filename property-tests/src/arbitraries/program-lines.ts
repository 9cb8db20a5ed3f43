import * as t from '@tapeflow/autodiff'
import { asCode } from '../as-code.ts'

/** What a call is given: a value of the program, plain data, a list of both, or what another call returns. */
export type Argument =
  | { readonly kind: 'value'; readonly index: number }
  | { readonly kind: 'literal'; readonly value: Literal }
  | { readonly kind: 'list'; readonly items: readonly Argument[] }
  | Call

/** Shapes, axes, options, texts, numbers. */
export type Literal = number | boolean | string | readonly Literal[] | { readonly [option: string]: Literal }

/** A call of a public function of '@tapeflow/autodiff' by its name. */
export interface Call {
  readonly kind: 'call'
  readonly name: string
  readonly given: readonly Argument[]
  /** Which of its results is meant, where the function returns several by name. */
  readonly part?: string
}

/** The gradient of the sum of value `of` with respect to value `by`: `body` is what lies between. */
export interface Gradient {
  readonly kind: 'gradient'
  readonly of: number
  readonly by: number
  readonly body: readonly Line[]
}

/** A line of a program: what is computed, and the number of the value. */
export interface Line {
  readonly index: number
  readonly made: Call | Gradient
}

/** A call by name. */
export function call(name: string, ...given: Argument[]): Call {
  return { kind: 'call', name, given }
}

/** A value of the program as an argument. */
export const valueAt = (index: number): Argument => ({ kind: 'value', index })

/** Plain data as an argument. */
export const literal = (value: Literal): Argument => ({ kind: 'literal', value })

/** Runs lines in order: each puts its value among `values`, where those that follow find it. */
function runLines(lines: readonly Line[], values: unknown[]): void {
  for (const { index, made } of lines) {
    values[index] = made.kind === 'call' ? evaluate(made, values) : gradient(made, values)
  }
}

function tensorAt(values: readonly unknown[], index: number): t.Tensor {
  const value = values[index]
  return value instanceof t.Tensor ? value : t.failType('programs', `v${index} is no tensor`)
}

const functions: Readonly<Record<string, unknown>> = t

function evaluate(argument: Argument, values: readonly unknown[]): unknown {
  switch (argument.kind) {
    case 'value':
      return values[argument.index]
    case 'literal':
      return argument.value
    case 'list':
      return argument.items.map((item) => evaluate(item, values))
    case 'call': {
      const called = functions[argument.name]
      if (typeof called !== 'function') t.failRange('programs', `there is no function t.${argument.name}`)
      const made: unknown = called(...argument.given.map((given) => evaluate(given, values)))
      return argument.part === undefined ? made : (made as Record<string, unknown>)[argument.part]
    }
  }
}

/** The shape of the tensor that a call makes of some of the given ones, by number; all else that it reads is a number. */
export function shapeOf(
  made: Call,
  tensors: readonly { readonly index: number; readonly shape: t.Shape }[],
): t.Shape {
  const indices = reads(made)
  const read = tensors.filter(({ index }) => indices.includes(index))
  return t.evalShape(
    (abstract: readonly t.Tensor[]) => {
      const values: unknown[] = []
      for (const index of indices) values[index] = 0.5
      for (const [i, { index }] of read.entries()) values[index] = abstract[i]
      const result = evaluate(made, values)
      return result instanceof t.Tensor ? result : t.failType('programs', `t.${made.name} makes no tensor`)
    },
    read.map(({ shape }) => shape),
  )
}

function gradient({ of, by, body }: Gradient, values: readonly unknown[]): t.Tensor {
  const total = (x: t.Tensor): t.Tensor => {
    const inner = values.slice()
    inner[by] = x
    runLines(body, inner)
    return t.sum(tensorAt(inner, of))
  }
  return t.grad(total)(tensorAt(values, by))
}

/** The numbers of the values that a line reads. */
export function reads(made: Argument | Gradient): readonly number[] {
  switch (made.kind) {
    case 'value':
      return [made.index]
    case 'literal':
      return []
    case 'list':
      return made.items.flatMap(reads)
    case 'call':
      return made.given.flatMap(reads)
    case 'gradient': {
      const inside = new Set(made.body.map(({ index }) => index))
      const read = [made.of, made.by, ...made.body.flatMap((line) => reads(line.made))]
      return read.filter((index) => !inside.has(index))
    }
  }
}

/** The lines between value `by` and value `of`: those that depend on the one, and that the other depends on. */
export function linesBetween(lines: readonly Line[], by: number, of: number): readonly Line[] {
  const dependent = new Set([by])
  for (const { index, made } of lines)
    if (reads(made).some((read) => dependent.has(read))) dependent.add(index)
  const needed = new Set([of])
  for (const { index, made } of lines.toReversed()) {
    if (needed.has(index)) for (const read of reads(made)) needed.add(read)
  }
  return lines.filter(({ index }) => dependent.has(index) && needed.has(index))
}

function printLines(lines: readonly Line[], indent: string): string {
  return lines
    .map(({ index, made }) => {
      const right = made.kind === 'call' ? print(made) : printGradient(made, indent)
      return `${indent}const v${index} = ${right}\n`
    })
    .join('')
}

function printGradient({ of, by, body }: Gradient, indent: string): string {
  if (body.length === 0) return `t.grad((v${by}: t.Tensor) => t.sum(v${of}))(v${by})`
  const inner = printLines(body, `${indent}  `)
  return `t.grad((v${by}: t.Tensor) => {\n${inner}${indent}  return t.sum(v${of})\n${indent}})(v${by})`
}

function print(argument: Argument): string {
  switch (argument.kind) {
    case 'value':
      return `v${argument.index}`
    case 'literal':
      return asCode(argument.value)
    case 'list':
      return `[${argument.items.map(print).join(', ')}]`
    case 'call':
      return `t.${argument.name}(${argument.given.map(print).join(', ')})${argument.part === undefined ? '' : `.${argument.part}`}`
  }
}

/** What a program is given: tensors as plain data, keys and numbers. */
export type ProgramInput = t.Snapshot | t.Key | number

/** A function of a few inputs as data: its lines can be run and printed. */
export interface Program {
  readonly inputs: readonly ProgramInput[]
  /** Other values of the same shapes, for a second call. */
  readonly others: readonly ProgramInput[]
  /** The paths of inputs that hold whole numbers to choose by: no gradient is asked of them, `{ fixed: program.fixed }`. */
  readonly fixed: readonly string[]
  /** What is computed; the values of the inputs are numbered first, then those of the lines. */
  readonly lines: readonly Line[]
  /** The numbers of the values that are returned, all of them tensors; some may be inputs, and some come twice. */
  readonly outputs: readonly number[]
  /**
   * Computes the outputs with public operations, eagerly, or as part of what is being recorded. Nothing is freed.
   *
   * @param inputs what `t.fromSnapshot(program.inputs)` gives, or other values of the same kinds and shapes
   */
  run(inputs: readonly (t.Tensor | t.Key | number)[]): readonly t.Tensor[]
  /** The program, called on its inputs and on the others, as TypeScript that runs when pasted. */
  toString(): string
}

/** The program that lines make up. */
export function programOf(
  inputs: readonly ProgramInput[],
  others: readonly ProgramInput[],
  lines: readonly Line[],
  outputs: readonly number[],
  fixed: readonly string[] = [],
): Program {
  return {
    inputs,
    others,
    fixed,
    lines,
    outputs,
    run: (given) => {
      const values: unknown[] = given.slice()
      runLines(lines, values)
      return outputs.map((index) => tensorAt(values, index))
    },
    toString: () => {
      const parameters = inputs.map((input, i) => `v${i}: ${typeOf(input)}`).join(', ')
      const called = (given: readonly ProgramInput[]): string => `program(${given.map(asCode).join(', ')})`
      return [
        "import * as t from '@tapeflow/autodiff'\n",
        `const program = (${parameters}) => {`,
        `${printLines(lines, '  ')}  return [${outputs.map((index) => `v${index}`).join(', ')}]`,
        '}',
        `const outputs = ${called(inputs)}`,
        `const others = ${called(others)}\n`,
      ].join('\n')
    },
  }
}

function typeOf(input: ProgramInput): string {
  if (typeof input === 'number') return 'number'
  return input instanceof t.Key ? 't.Key' : 't.Tensor'
}
