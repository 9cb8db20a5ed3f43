import {
  fromSnapshot,
  memory,
  resetPeakBytes,
  reshape,
  sameShape,
  scope,
  slice,
  type Tensor,
  tensor,
  zeros,
} from '@tapeflow/autodiff'
import { memoryBelowHeap, type Operation, type OperationInfo } from '@tapeflow/autodiff/testing'
import fc from 'fast-check'
import { expect, vi } from 'vitest'
import { samples } from '../src/index.ts'
import { assertProperty } from './runs.ts'

/** A call of a kernel, as the engine made it: `output` is filled. */
interface KernelCall {
  readonly kernel: NonNullable<Operation['kernel']>
  readonly output: Tensor
  readonly inputs: readonly Tensor[]
  readonly attributes: unknown
  readonly scratch: number
}

/** Runs `body`, and `check` right after each call of the operation's kernel; returns how many there were. */
function atKernelCalls(operation: Operation, body: () => unknown, check: (call: KernelCall) => void): number {
  const { kernel } = operation
  if (kernel === undefined) return 0
  let calls = 0
  const spy = vi.spyOn(operation, 'kernel').mockImplementation((output, inputs, attributes, scratch) => {
    kernel(output, inputs, attributes, scratch)
    check({ kernel, output, inputs, attributes, scratch })
    calls++
  })
  try {
    scope(() => {
      body()
    })
  } finally {
    spy.mockRestore()
  }
  return calls
}

/** The kernels that samples of the operation call; there must be some. */
function forKernelCalls(info: OperationInfo, numRuns: number, check: (call: KernelCall) => void): void {
  let calls = 0
  const property = fc.property(samples(info), ({ call, inputs }) => {
    calls += atKernelCalls(info.operation, () => call(...fromSnapshot(inputs)), check)
  })
  assertProperty(property, numRuns)
  expect(calls > 0).toBe(info.operation.kernel !== undefined)
}

const guardSize = 16
const guard = 12345.678

/** Below the static data of the kernels, where addresses point that were forgotten. */
const [mark, markedWords] = [0x5eed5eed, 256]

/** Room for `size` numbers, poisoned, that begins on a multiple of 64 bytes, and what it lies between. */
function guarded(size: number): { room: Tensor; assertIntact: () => void } {
  const values = new Float32Array(guardSize + size + guardSize).fill(guard)
  values.fill(Number.NaN, guardSize, guardSize + size)
  const whole = tensor(values)
  const room = slice(whole, guardSize, guardSize + size)
  expect(room.offset % 64).toBe(0)
  const assertIntact = (): void => {
    const found = whole.toFloat32Array()
    found.fill(Number.NaN, guardSize, guardSize + size)
    expect(found).toEqual(values)
  }
  return { room, assertIntact }
}

function keepsToItsMemory(operation: Operation, { kernel, output, inputs, attributes }: KernelCall): void {
  const bytes = operation.scratch?.(inputs, attributes) ?? 0
  expect(bytes % 4).toBe(0)
  expect(operation.scratch?.(inputs, attributes) ?? 0).toBe(bytes)
  const result = guarded(output.size)
  const scratch = guarded(bytes / 4)
  const into = reshape(result.room, output.shape)
  // At the peak a block shows that is taken and given back, too.
  resetPeakBytes()
  const before = memory()
  expect(before.bytes).toBe(before.peakBytes)
  const below = memoryBelowHeap()
  const unmarked = below.slice()
  // Marked, because the engine has called the kernel before: it would write the same again.
  below.fill(mark, 0, markedWords)
  const marked = below.slice()
  kernel(into, inputs, attributes, bytes === 0 ? 0 : scratch.room.offset)
  expect(memory()).toEqual(before)
  expect(below.every((word, i) => word === marked[i])).toBe(true)
  below.set(unmarked)
  expect(into.toFloat32Array()).toEqual(output.toFloat32Array())
  result.assertIntact()
  scratch.assertIntact()
}

/**
 * The law that a kernel takes nothing from the heap and writes nothing but its output and its working memory, of which it
 * needs no byte more than `scratch` says, whatever is in either before.
 */
export function kernelKeepsToItsMemory(info: OperationInfo): void {
  forKernelCalls(info, 60, (call) => keepsToItsMemory(info.operation, call))
}

/** Asserts the same of the kernel calls of an operation in `body`; returns the most working memory that one took. */
export function assertKernelKeepsToItsMemory(operation: Operation, body: () => unknown): number {
  let most = 0
  const calls = atKernelCalls(operation, body, (call) => {
    most = Math.max(most, operation.scratch?.(call.inputs, call.attributes) ?? 0)
    keepsToItsMemory(operation, call)
  })
  expect(calls).toBeGreaterThan(0)
  return most
}

/**
 * The law that a kernel with `inPlace` gives the same bits where its output lies over an input of the same shape, or over
 * one tensor that is several of its inputs, and leaves the others alone.
 */
export function inPlaceGivesTheSameBits({ operation, ...info }: OperationInfo): void {
  if (operation.inPlace !== true) return
  let replaced = 0
  forKernelCalls({ operation, ...info }, 100, ({ kernel, output, inputs, attributes, scratch }) => {
    const fitting = [...inputs.keys()].filter((i) => sameShape(inputs[i]!.shape, output.shape))
    const before = inputs.map((x) => x.toFloat32Array())
    for (const places of subsets(fitting)) {
      const operands = (x: Tensor): Tensor[] => inputs.map((input, i) => (places.includes(i) ? x : input))
      const x = inputs[places[0]!]!
      const apart = zeros(output.shape)
      kernel(apart, operands(x), attributes, scratch)
      const over = tensor(x.toFloat32Array(), x.shape)
      kernel(over, operands(over), attributes, scratch)
      expect(over.toFloat32Array()).toEqual(apart.toFloat32Array())
      replaced++
    }
    expect(inputs.map((x) => x.toFloat32Array())).toEqual(before)
  })
  expect(replaced).toBeGreaterThan(0)
}

/** Every choice of one or more. */
function subsets(of: readonly number[]): readonly (readonly number[])[] {
  return Array.from({ length: 2 ** of.length - 1 }, (_, i) => of.filter((_, k) => ((i + 1) >> k) % 2 === 1))
}
