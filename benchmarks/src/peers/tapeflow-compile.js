/**
 * Tapeflow by `t.compile`: one program for forward pass, gradients and update, called once a step.
 *
 * Options, both documented in docs/compile.md and both what `fit` uses: `donate`, so that new parameters are written over
 * the old ones, and `reuse`, so that results are the same tensors at every call. The batches are tensors made beforehand, as in the
 * other libraries.
 *
 * @import { Computation, Peer, Trainer, Training, Workload } from '../peer.ts'
 * @import { Params } from './tapeflow-model.js'
 */
import * as t from '@tapeflow/autodiff'
import { installed, lossOf, modelOf, offered, optimizerOf } from './tapeflow-model.js'

/** @returns {Promise<Peer>} */
export async function open() {
  return {
    ...installed(),
    prepare: (workload) => (workload.kind === 'training' ? trainer(workload) : computation(workload)),
  }
}

/**
 * @param {Training} workload
 * @returns {Trainer}
 */
function trainer({ model: described, start, loss: lossName, optimizer: rule, batches: given }) {
  const model = modelOf(described, start)
  const loss = lossOf(lossName)
  const optimizer = optimizerOf(rule)
  const batches = given.map(({ inputs, targets }) => ({
    x: t.tensor(inputs.values, inputs.shape),
    y: t.tensor(targets.values, targets.shape),
  }))
  const sample = batches[0]?.x.shape.slice(1) ?? []
  const key = t.key(0)

  const begin = () =>
    t.scope(() => {
      const { params, state } = model.init(key, sample)
      return { params, state, slots: optimizer.init(params) }
    })
  const step = t.compile(
    (
      /** @type {ReturnType<typeof begin>} */ { params, state, slots },
      /** @type {{ x: t.Tensor, y: t.Tensor }} */ { x, y },
      /** @type {ReturnType<typeof optimizer.hyper>} */ hyper,
      /** @type {t.Key} */ noise,
      /** @type {number} */ number,
    ) => {
      const context = { training: true, key: t.foldIn(noise, number), path: '' }
      const { value, gradients, aux } = t.valueAndGrad((/** @type {Params} */ p) => {
        const made = model.apply(p, state, x, context)
        return { value: loss(made.y, y), aux: made.state }
      })(params)
      const next = optimizer.update(gradients, slots, params, hyper)
      return { carry: { params: next.params, state: aux, slots: next.slots }, loss: value }
    },
    { donate: [0], reuse: true },
  )

  let carry = begin()
  let taken = 0
  return {
    kind: 'trainer',
    step() {
      const batch = /** @type {typeof batches[number]} */ (batches[taken % batches.length])
      const made = step(carry, batch, optimizer.hyper(taken), key, taken)
      taken++
      carry = made.carry
      return made.loss.item()
    },
    restart() {
      disposeAll(carry)
      carry = begin()
      taken = 0
    },
    dispose() {
      disposeAll([carry, batches])
      step.dispose()
    },
  }
}

/**
 * @param {Exclude<Workload, Training>} workload
 * @returns {Computation}
 */
function computation(workload) {
  const { operands, f, constants = [] } = formula(workload)
  const inputs = operands.map(({ values, shape }) => t.tensor(values, shape))
  const program = t.compile(f, { reuse: true })
  /** @type {t.Tensor | null} */
  let result = null
  const call = () => {
    result = program(...inputs)
    return result
  }
  return {
    kind: 'computation',
    // The forward pass is asked for its numbers each time.
    call: workload.kind === 'forward' ? () => call().toFloat32Array() : call,
    read: () => call().toFloat32Array(),
    dispose() {
      disposeAll([inputs, constants, result])
      program.dispose()
    },
  }
}

/**
 * @param {Exclude<Workload, Training>} workload
 * @returns {{ operands: readonly import('../peer.ts').Values[], f: (...x: any[]) => t.Tensor, constants?: unknown }}
 */
function formula(workload) {
  switch (workload.kind) {
    case 'product': {
      const { form, left, right } = workload
      const options = { transposeA: form[0] === 'T', transposeB: form[1] === 'T' }
      return { operands: [left, right], f: (a, b) => t.matmul(a, b, options) }
    }
    case 'elementwise':
      return { operands: workload.operands, f: elementwise(workload.operation) }
    case 'rows': {
      const { operation, matrix } = workload
      if (operation === 'softmax') return { operands: [matrix], f: (x) => t.softmax(x) }
      const axis = operation === 'sum axis 0' ? 0 : 1
      return { operands: [matrix], f: (x) => t.sum(x, { axis }) }
    }
    case 'forward': {
      const model = modelOf(workload.model, workload.start)
      const { params, state } = t.scope(() => {
        const made = model.init(t.key(0), workload.input.shape.slice(1))
        return { params: made.params, state: made.state }
      })
      // Parameters are constants of the program: it is recorded for these.
      return {
        operands: [workload.input],
        constants: [params, state],
        f: (x) => model.apply(params, state, x, { training: false, path: '' }).y,
      }
    }
  }
}

/** @param {import('../peer.ts').Elementwise['operation']} name */
function elementwise(name) {
  switch (name) {
    case 'gelu erf':
      return offered('autodiff', 'gelu')
    case 'gelu tanh': {
      const gelu = offered('autodiff', 'gelu')
      return (/** @type {t.Tensor} */ x) => gelu(x, { approximate: 'tanh' })
    }
    default:
      return offered('autodiff', name)
  }
}

/** @param {unknown} tree */
function disposeAll(tree) {
  t.visitLeaves(tree, (leaf) => {
    if (t.isTensor(leaf)) leaf.dispose()
  })
}
