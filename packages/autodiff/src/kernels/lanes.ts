/**
 * Computations on four float32 at once, written down as an immutable graph.
 *
 * A node is plain data and may be shared: what is used twice is computed once. Nothing is computed here; `emit.ts`
 * turns a graph into a loop, and a fuser may put one graph where another has an input.
 */

/**
 * What the lanes hold: a float32; all bits set or none; 32 plain bits (an int32 to `addBits` and `subBits`). The last two
 * are half as many lanes twice as wide, float64 or 64 bits: see `doubles.ts`.
 */
export type Kind = 'number' | 'mask' | 'bits' | 'doubles' | 'longs'

/** The name of an instruction; the first ones are none of WebAssembly's. */
export type Op = 'input' | 'constant' | 'double' | 'integer' | 'cast' | 'selectRarely' | keyof typeof opcodes

/** One step of a computation on four lanes. */
export interface Node<K extends Kind = Kind> {
  readonly kind: K
  readonly op: Op
  readonly inputs: readonly Node[]
  /** Which input, which constant, or how far a shift goes; 0 elsewhere. */
  readonly value: number
}

/** Four float32 numbers. */
export type Value = Node<'number'>
/** Four truths, as comparisons give them. */
export type Mask = Node<'mask'>
/** Four groups of 32 bits, for reading and building the encoding of numbers. */
export type Bits = Node<'bits'>

/** The number of each instruction, behind the prefix 0xfd, in the WebAssembly specification. */
export const opcodes = {
  equal: 0x41,
  notEqual: 0x42,
  less: 0x43,
  greater: 0x44,
  lessEqual: 0x45,
  greaterEqual: 0x46,
  not: 0x4d,
  and: 0x4e,
  or: 0x50,
  xor: 0x51,
  select: 0x52,
  ceil: 0x67,
  floor: 0x68,
  trunc: 0x69,
  nearest: 0x6a,
  shiftLeft: 0xab,
  shiftRight: 0xac,
  addBits: 0xae,
  subBits: 0xb1,
  abs: 0xe0,
  neg: 0xe1,
  sqrt: 0xe3,
  add: 0xe4,
  sub: 0xe5,
  mul: 0xe6,
  div: 0xe7,
  minimum: 0xe8,
  maximum: 0xe9,
  pmin: 0xea,
  pmax: 0xeb,
  truncate: 0xf8,
  fromInteger: 0xfa,
  // Relaxed SIMD: only where a numeric mode contracts.
  mulAdd: 0x105,
  doublesMulAdd: 0x107,
  // On two float64 or int64.
  upper: 0x0d,
  join: 0x0d,
  doublesGreater: 0x4a,
  doublesLessEqual: 0x4b,
  demote: 0x5e,
  promote: 0x5f,
  doublesNearest: 0x94,
  shiftLeftLongs: 0xcb,
  shiftRightLongs: 0xcd,
  addLongs: 0xce,
  subLongs: 0xd1,
  doublesAbs: 0xec,
  doublesNeg: 0xed,
  doublesSqrt: 0xef,
  doublesAdd: 0xf0,
  doublesSub: 0xf1,
  doublesMul: 0xf2,
  doublesDiv: 0xf3,
  doublesPmin: 0xf6,
  doublesPmax: 0xf7,
} as const

/** One step, with its inputs: what the functions below, and those of `doubles.ts`, are made of. */
export const node = <K extends Kind>(kind: K, op: Op, inputs: readonly Node[], value = 0): Node<K> => ({
  kind,
  op,
  inputs,
  value,
})
const unary = (op: Op, x: Value): Value => node('number', op, [x])
const binary = (op: Op, a: Value, b: Value): Value => node('number', op, [a, b])
const compare = (op: Op, a: Value, b: Value): Mask => node('mask', op, [a, b])

/** The loop's input number `index`, counted from 0. */
export const input = (index: number): Value => node('number', 'input', [], index)
/** `x` in every lane, rounded to float32. */
export const constant = (x: number): Value => node('number', 'constant', [], Math.fround(x))

/** a + b */
export const add = (a: Value, b: Value): Value => binary('add', a, b)
/** a - b */
export const sub = (a: Value, b: Value): Value => binary('sub', a, b)
/** a * b */
export const mul = (a: Value, b: Value): Value => binary('mul', a, b)
/** a / b */
export const div = (a: Value, b: Value): Value => binary('div', a, b)
/** a * b + c, rounded twice; once in a numeric mode that contracts. */
export const mulAdd = (a: Value, b: Value, c: Value): Value => node('number', 'mulAdd', [a, b, c])
/** -x, for 0 and NaN too: the sign bit changes. */
export const neg = (x: Value): Value => unary('neg', x)
/** x without its sign bit. */
export const abs = (x: Value): Value => unary('abs', x)
/** The square root, correctly rounded; NaN below 0, but -0 of -0. */
export const sqrt = (x: Value): Value => unary('sqrt', x)
/** The largest whole number not above x. */
export const floor = (x: Value): Value => unary('floor', x)
/** The smallest whole number not below x. */
export const ceil = (x: Value): Value => unary('ceil', x)
/** x without its fraction. */
export const trunc = (x: Value): Value => unary('trunc', x)
/** The nearest whole number, the even one of two. */
export const nearest = (x: Value): Value => unary('nearest', x)
/** The smaller, NaN if either is; -0 is smaller than 0. */
export const minimum = (a: Value, b: Value): Value => binary('minimum', a, b)
/** The larger, NaN if either is; 0 is larger than -0. */
export const maximum = (a: Value, b: Value): Value => binary('maximum', a, b)
/** `b < a ? b : a`, one instruction where `minimum` takes several: keeps `a` if either is NaN or both are zeros. */
export const pmin = (a: Value, b: Value): Value => binary('pmin', a, b)
/** `a < b ? b : a`, one instruction where `maximum` takes several: keeps `a` if either is NaN or both are zeros. */
export const pmax = (a: Value, b: Value): Value => binary('pmax', a, b)

/** a > b; false if either is NaN. */
export const greater = (a: Value, b: Value): Mask => compare('greater', a, b)
/** a >= b; false if either is NaN. */
export const greaterEqual = (a: Value, b: Value): Mask => compare('greaterEqual', a, b)
/** a < b; false if either is NaN. */
export const less = (a: Value, b: Value): Mask => compare('less', a, b)
/** a <= b; false if either is NaN. */
export const lessEqual = (a: Value, b: Value): Mask => compare('lessEqual', a, b)
/** a = b, with -0 = 0; false if either is NaN: `equal(x, x)` finds NaN. */
export const equal = (a: Value, b: Value): Mask => compare('equal', a, b)
/** a != b; true if either is NaN. */
export const notEqual = (a: Value, b: Value): Mask => compare('notEqual', a, b)
/** In each lane `a` where the mask is true, else `b`. */
export const select = (mask: Mask, a: Value, b: Value): Value => node('number', 'select', [a, b, mask])
/** As `select`, for an `a` that is seldom needed: it is computed only for groups of four with a lane that takes it. */
export const selectRarely = (mask: Mask, a: Value, b: Value): Value =>
  // The emitter reads the mask twice.
  node('number', 'selectRarely', [a, b, mask, mask])
/** 1 where the mask is true, else 0. */
export const toNumber = (mask: Mask): Value => fromBits(and(maskBits(mask), bits(constant(1))))

/** a and b, of masks or bit by bit. */
export const and = <K extends 'mask' | 'bits' | 'longs'>(a: Node<K>, b: Node<NoInfer<K>>): Node<K> =>
  node(a.kind, 'and', [a, b])
/** a or b, of masks or bit by bit. */
export const or = <K extends 'mask' | 'bits' | 'longs'>(a: Node<K>, b: Node<NoInfer<K>>): Node<K> =>
  node(a.kind, 'or', [a, b])
/** Either a or b but not both, of masks or bit by bit. */
export const xor = <K extends 'mask' | 'bits' | 'longs'>(a: Node<K>, b: Node<NoInfer<K>>): Node<K> =>
  node(a.kind, 'xor', [a, b])
/** The opposite of a mask, or every bit flipped. */
export const not = <K extends 'mask' | 'bits'>(a: Node<K>): Node<K> => node(a.kind, 'not', [a])

/** The encoding of x: bit 31 the sign, 8 bits of exponent, 23 of fraction. Costs nothing. */
export const bits = (x: Value): Bits => node('bits', 'cast', [x])
/** The number that these bits encode. Costs nothing. */
export const fromBits = (x: Bits): Value => node('number', 'cast', [x])
/** All bits set where the mask is true. Costs nothing. */
export const maskBits = (mask: Mask): Bits => node('bits', 'cast', [mask])
/** The int32 `x` in every lane. */
export const integer = (x: number): Bits => node('bits', 'integer', [], x | 0)
/** a + b as int32, wrapping around. */
export const addBits = (a: Bits, b: Bits): Bits => node('bits', 'addBits', [a, b])
/** a - b as int32, wrapping around. */
export const subBits = (a: Bits, b: Bits): Bits => node('bits', 'subBits', [a, b])
/** Bits moved up by `by` of 0 to 31 places. */
export const shiftLeft = (a: Bits, by: number): Bits => node('bits', 'shiftLeft', [a], by)
/** Bits moved down by `by` of 0 to 31 places; the sign comes in from above. */
export const shiftRight = (a: Bits, by: number): Bits => node('bits', 'shiftRight', [a], by)
/** The whole part of x as int32; 0 for NaN, the nearest int32 beyond the range. */
export const truncate = (x: Value): Bits => node('bits', 'truncate', [x])
/** An int32 as the nearest float32. */
export const fromInteger = (x: Bits): Value => node('number', 'fromInteger', [x])
