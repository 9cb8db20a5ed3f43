/**
 * What `dispatch.js` times: single operations in their three surroundings, the bare kernels that they run, and a training step.
 *
 * @typedef {object} Library one build of the packages
 * @property {typeof import('@tapeflow/autodiff')} t
 * @property {typeof import('@tapeflow/nn')} nn
 * @property {typeof import('@tapeflow/optim')} optim
 * @property {Internals} internals
 *
 * @typedef {object} Internals modules of autodiff that its index does not export
 * @property {any} loops
 * @property {any} wasm
 * @property {any} memory
 * @property {Record<string, any>} operations by name
 *
 * @typedef {(times: number) => void} Repeat
 *
 * @typedef {object} OperationCase
 * @property {string} name
 * @property {Repeat} kernel with its offsets fixed, and nothing else
 * @property {Repeat} outside of any scope; what is made is disposed of
 * @property {Repeat} inScope
 * @property {Repeat} recorded on a tape that one of its operands lies on
 */

/** How many operations share one scope or tape. */
export const TOGETHER = 64

/**
 * @param {Library} library
 * @returns {OperationCase[]}
 */
export function operationCases({ t, internals }) {
  const { loops, wasm, memory, operations } = internals
  const matrix = t.tensor([
    [1, 2, 3, 4],
    [5, 6, 7, 8],
    [1, 0, 1, 0],
    [9, 1, 2, 3],
  ])
  const other = t.add(matrix, 1)
  const row = t.tensor([1, 2, 3, 4])
  const left = t.ones([32, 16])
  const right = t.ones([16, 16])
  const out = memory.allocate(32 * 16 * 4).offset
  const number = t.tensor(2)
  const size = matrix.size
  const kernels = wasm.wasm()
  /** @param {string} name @param {string} pattern */
  const loop = (name, pattern) =>
    loops.loopOf(`${loops.numberOf(operations[name])}`, operations[name].expression, pattern)

  /** @param {() => void} call @returns {Repeat} */
  const repeat = (call) => (times) => {
    for (let i = 0; i < times; i++) call()
  }
  const relu = loop('relu', 'v')
  const add = loop('add', 'vv')
  const mul = loop('mul', 'vs')
  const where = loop('where', 'vvs')
  const [a, b, r, n] = [matrix.offset, other.offset, row.offset, number.offset]
  /** @type {[name: string, kernel: Repeat, x: import('@tapeflow/autodiff').Tensor, call: (x: any) => any][]} */
  const cases = [
    ['relu(x)', repeat(() => relu(out, 1, size, a, 0)), matrix, (x) => t.relu(x)],
    ['add(x, y)', repeat(() => add(out, 1, size, a, 0, b, 0)), matrix, (x) => t.add(x, other)],
    ['mul(x, 2)', repeat(() => mul(out, 1, size, a, 0, n, 0)), matrix, (x) => t.mul(x, 2)],
    ['add(x, row)', repeat(() => add(out, 4, 4, a, 16, r, 0)), matrix, (x) => t.add(x, row)],
    [
      'where(c, x, 0)',
      repeat(() => where(out, 1, size, a, 0, b, 0, n, 0)),
      matrix,
      (x) => t.where(other, x, 0),
    ],
    [
      'matmul 32x16x16',
      repeat(() => kernels.matmul(left.offset, right.offset, out, 32, 16, 16, 0, 0, 0)),
      left,
      (x) => t.matmul(x, right),
    ],
    ['sum(x)', repeat(() => kernels.reduceSum(a, out, 1, size, 1, 0)), matrix, (x) => t.sum(x)],
    [
      'sum(x, axis 0)',
      repeat(() => kernels.reduceSum(a, out, 1, 4, 4, 0)),
      matrix,
      (x) => t.sum(x, { axis: 0 }),
    ],
    ['reshape(x, [16])', () => {}, matrix, (x) => t.reshape(x, [16])],
  ]
  return cases.map(([name, kernel, x, call]) => ({
    name,
    kernel,
    outside: (times) => {
      for (let i = 0; i < times; i++) call(x).dispose()
    },
    inScope: (times) => {
      for (let done = 0; done < times; done += TOGETHER) {
        t.scope(() => {
          for (let i = 0; i < TOGETHER; i++) call(x)
        })
      }
    },
    recorded: tapes(t, x, (traced) => {
      for (let i = 0; i < TOGETHER; i++) call(traced)
      return traced
    }),
  }))
}

/**
 * A tape for each `TOGETHER` times: what is recorded has no cotangent but for what `f` returns.
 *
 * @param {Library['t']} t
 * @param {any} x
 * @param {(x: any) => any} f
 * @returns {Repeat}
 */
function tapes(t, x, f) {
  const run = (/** @type {any} */ input) => t.vjp(f, input, input)
  return (times) => {
    for (let done = 0; done < times; done += TOGETHER) t.scope(() => void run(x))
  }
}

/**
 * Chains of `TOGETHER` operations, there and back; and what a tape with nothing on it takes.
 *
 * @param {Library} library
 * @returns {{ name: string, forward: Repeat, both: Repeat }[]}
 */
export function backwardCases({ t }) {
  const x = t.ones([4, 4])
  const one = t.ones([4, 4])
  const row = t.ones([4])
  /** @type {[string, (x: any) => any][]} */
  const calls = [
    ['add(x, 1): nothing to compute', (y) => t.add(y, 1)],
    ['relu(x): one operation', (y) => t.relu(y)],
    ['mul(x, y): one operation', (y) => t.mul(y, one)],
    ['add(x, row): nothing to compute', (y) => t.add(y, row)],
  ]
  return calls.map(([name, call]) => {
    const chain = (/** @type {any} */ input) => {
      let y = input
      for (let i = 0; i < TOGETHER; i++) y = call(y)
      return y
    }
    return {
      name,
      forward: tapes(t, x, (input) => {
        chain(input)
        return input
      }),
      both: tapes(t, x, chain),
    }
  })
}

/**
 * @param {Library} library
 * @returns {Repeat} a tape for each `TOGETHER` times, on which nothing is recorded
 */
export function emptyTape({ t }) {
  return tapes(t, t.ones([4, 4]), (x) => x)
}

/**
 * The step of W3: MLP 2-16-16-1, tanh, mean squared error, SGD, batch 32, the loss read at each step.
 *
 * @param {Library} library
 */
export function surfaceSteps({ t, nn, optim }) {
  const model = nn.sequential(nn.linear(2, 16), nn.tanh(), nn.linear(16, 16), nn.tanh(), nn.linear(16, 1))
  const optimizer = optim.sgd({ learningRate: 0.1 })
  const loss = nn.mse()
  const [x, y] = [t.normal(t.key(1), [32, 2]), t.normal(t.key(2), [32, 1])]
  const context = { training: true, path: '' }
  const begin = () => {
    const { params, state } = model.init(t.key(0), [2])
    return { params, state, slots: optimizer.init(params) }
  }
  const lossAndGradients = t.valueAndGrad((/** @type {any} */ params, /** @type {any} */ state) => {
    const applied = model.apply(params, state, x, context)
    return { value: loss(applied.y, y), aux: applied.state }
  })
  const stepOf = (/** @type {any} */ { params, state, slots }, /** @type {any} */ hyper) => {
    const { value, gradients, aux } = lossAndGradients(params, state)
    const next = optimizer.update(gradients, slots, params, hyper)
    return { carry: { params: next.params, state: aux, slots: next.slots }, value }
  }
  /** @type {any} */
  let carry = begin()
  let taken = 0
  const eager = () => {
    const old = carry
    let read = Number.NaN
    carry = t.scope(() => {
      const made = stepOf(old, optimizer.hyper(taken++))
      read = made.value.item()
      return made.carry
    })
    for (const tensor of t.leaves(old)) tensor.dispose()
    return read
  }
  const folded = (/** @type {number} */ times) => {
    const first = begin()
    const last = t.fold(first, Array.from({ length: times }), (before, _, i) => {
      const made = stepOf(before, optimizer.hyper(i))
      made.value.item()
      return made.carry
    })
    for (const tensor of t.leaves([first, last])) tensor.dispose()
  }
  const compiled = t.compile(stepOf, { donate: [0], reuse: true })
  /** @type {any} */
  let kept = begin()
  const replayed = () => {
    const made = compiled(kept, optimizer.hyper(taken++))
    kept = made.carry
    return made.value.item()
  }
  return { eager, folded, replayed }
}
