/**
 * Tapeflow by `fit`, as a user writes it: default options, above all the default pace (slices of 4 ms, then the event loop has
 * its turn), a dataset that gives the batches again and again, and one subscriber, which reads the loss of each step.
 *
 * The batches are ready: gathering rows into batches, which a dataset does too, is not part of a step in the other libraries
 * either. Other than in the row of `compile`, each batch is copied into the heap at its step, for a dataset gives plain arrays.
 *
 * @import { Peer, Run, Training } from '../peer.ts'
 */
import { dataset } from '@tapeflow/data'
import { fit } from '@tapeflow/train'
import { Unsupported } from '../unsupported.js'
import { installed, lossOf, modelOf, optimizerOf } from './tapeflow-model.js'

/** @returns {Promise<Peer>} */
export async function open() {
  return {
    ...installed(),
    prepare: (workload) => {
      if (workload.kind !== 'training') throw new Unsupported('')
      return run(workload)
    },
  }
}

/**
 * @param {Training} workload
 * @returns {Run}
 */
function run({ model: described, start, loss, optimizer, batches }) {
  const data = dataset(batches.map(({ inputs, targets }) => ({ x: inputs, y: targets }))).repeat()
  const run$ = fit(modelOf(described, start), {
    data,
    loss: lossOf(loss),
    optimizer: optimizerOf(optimizer),
    // Who has seen enough unsubscribes.
    steps: Number.MAX_SAFE_INTEGER,
  })
  return {
    kind: 'run',
    train: (isEnough) =>
      new Promise((resolve, reject) => {
        const subscription = run$.subscribe({
          next: (event) => {
            if (event.type !== 'step' || !isEnough(event.loss)) return
            subscription.unsubscribe()
            resolve()
          },
          error: reject,
        })
      }),
    dispose() {},
  }
}
