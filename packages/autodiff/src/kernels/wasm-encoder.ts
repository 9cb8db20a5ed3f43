/** The types of parameters and locals, as WebAssembly encodes them. */
const i32 = 0x7f
const v128 = 0x7b

/** The instructions that loops are made of, but for those on vectors. */
export const wasm = {
  loop: 0x03,
  if: 0x04,
  end: 0x0b,
  brIf: 0x0d,
  return: 0x0f,
  drop: 0x1a,
  get: 0x20,
  set: 0x21,
  tee: 0x22,
  i32Const: 0x41,
  f32Const: 0x43,
  f64Const: 0x44,
  i32Eqz: 0x45,
  i32Ne: 0x47,
  i32Add: 0x6a,
  i32And: 0x71,
  i32Or: 0x72,
  i32Shl: 0x74,
  simd: 0xfd,
} as const

/** What a `loop` or an `if` leaves on the stack: nothing. */
export const noResult = 0x40

/** Floats lie at multiples of 2^2 bytes. */
const aligned = 2

/** Appends `x` as an unsigned LEB128: seven bits a byte, the lowest first. */
function unsigned(bytes: number[], x: number): void {
  for (; x >= 0x80; x >>>= 7) bytes.push((x & 0x7f) | 0x80)
  bytes.push(x)
}

/** Writes instructions one after another; a method is an instruction with its operand. */
export interface Writer {
  readonly code: number[]
  op(...bytes: number[]): void
  get(local: number): void
  set(local: number): void
  tee(local: number): void
  integer(x: number): void
  /** A float32. */
  number(x: number): void
  /** A float64. */
  double(x: number): void
  simd(opcode: number): void
  /** A vector instruction on memory, `offset` bytes beyond the address on the stack. */
  memory(opcode: number, offset: number): void
}

/** A writer that has written nothing yet. */
export function writer(): Writer {
  const code: number[] = []
  const withOperand = (opcode: number, operand: number): void => {
    code.push(opcode)
    unsigned(code, operand)
  }
  return {
    code,
    op(...bytes) {
      for (const byte of bytes) code.push(byte)
    },
    get: (local) => withOperand(wasm.get, local),
    set: (local) => withOperand(wasm.set, local),
    tee: (local) => withOperand(wasm.tee, local),
    integer(x) {
      code.push(wasm.i32Const)
      for (; x < -0x40 || x >= 0x40; x >>= 7) code.push((x & 0x7f) | 0x80)
      code.push(x & 0x7f)
    },
    number(x) {
      code.push(wasm.f32Const, ...new Uint8Array(Float32Array.of(x).buffer))
    },
    double(x) {
      code.push(wasm.f64Const, ...new Uint8Array(Float64Array.of(x).buffer))
    },
    simd: (opcode) => withOperand(wasm.simd, opcode),
    memory(opcode, offset) {
      withOperand(wasm.simd, opcode)
      withOperand(aligned, offset)
    },
  }
}

function section(bytes: number[], id: number, content: readonly number[]): void {
  bytes.push(id)
  unsigned(bytes, content.length)
  for (const byte of content) bytes.push(byte)
}

/**
 * The bytes of a module that imports the memory `env.memory` and exports one function, `run`.
 *
 * @param parameters how many int32 the function takes; it returns nothing
 * @param integers how many int32 locals follow the parameters
 * @param vectors how many v128 locals follow those
 * @param code the function's instructions, its last `end` included
 * @param shared whether the memory is shared between threads: the import must say so too
 */
export function encodeModule(
  parameters: number,
  integers: number,
  vectors: number,
  code: readonly number[],
  shared: boolean,
): Uint8Array<ArrayBuffer> {
  const type = [1, 0x60]
  unsigned(type, parameters)
  for (let k = 0; k < parameters; k++) type.push(i32)
  type.push(0)

  const locals = [2]
  unsigned(locals, integers)
  locals.push(i32)
  unsigned(locals, vectors)
  locals.push(v128)

  const functions = [1]
  unsigned(functions, locals.length + code.length)
  functions.push(...locals)
  for (const byte of code) functions.push(byte)

  const bytes = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
  section(bytes, 1, type)
  // One memory named env.memory, of at least 1 page and at most 65536: any with a maximum will do.
  const memory = [1, 3, 0x65, 0x6e, 0x76, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2]
  section(bytes, 2, [...memory, shared ? 3 : 1, 1, 0x80, 0x80, 4])
  section(bytes, 3, [1, 0])
  section(bytes, 7, [1, 3, 0x72, 0x75, 0x6e, 0, 0])
  section(bytes, 10, functions)
  return new Uint8Array(bytes)
}
