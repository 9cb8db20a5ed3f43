import * as t from '@tapeflow/autodiff'
import type { Observable } from 'rxjs'
import { expect } from 'vitest'
import { type FitOptions, fit, type Model, type TrainEvent } from '../src/index.ts'
import { modes } from './small.ts'

/** What one event tells: numbers as they are, tensors as digests of their bits. */
export type Telling = Readonly<Record<string, unknown>>

/** Everything that a run tells. */
export function told<P, S>(run$: Observable<TrainEvent<P, S>>, watched = false): Promise<Telling[]> {
  const events: Telling[] = []
  return new Promise((resolve, reject) => {
    run$.subscribe({
      next: (event) => events.push(telling(event, watched)),
      error: reject,
      complete: () => resolve(events),
    })
  })
}

/** What one event tells. */
export function telling<P, S>(event: TrainEvent<P, S>, watched: boolean): Telling {
  const { type, step, epoch } = event
  const place = { type, step, epoch }
  switch (event.type) {
    case 'step': {
      const { loss, penalty, runningLoss, learningRate, metrics, weights } = event
      const numbers = {
        ...place,
        loss,
        penalty,
        runningLoss,
        learningRate,
        metrics,
        weights: digest(weights.tree),
      }
      if (!watched) return numbers
      const { gradients, gradientNorm, activations } = event
      return {
        ...numbers,
        gradients: digest(gradients.tree),
        gradientNorm,
        activations: digest(activations.tree),
      }
    }
    case 'epoch':
    case 'validation':
      return {
        ...place,
        loss: event.loss,
        metrics: event.metrics,
        rows: event.rows,
        weights: digest(event.weights.tree),
      }
    case 'end': {
      const { params, state, slots, sums } = event.result
      return { ...place, sums, result: t.scope(() => digest(t.fromSnapshot({ params, state, slots }))) }
    }
    default:
      return place
  }
}

// FNV-1a over the bits: 0 and -0 differ.
function digest(tree: unknown): Readonly<Record<string, string>> {
  const digests: Record<string, string> = {}
  t.visitLeaves(tree, (leaf, path) => {
    if (!(leaf instanceof t.Tensor)) {
      digests[path] = String(leaf)
      return
    }
    let hash = 0x811c9dc5
    for (const word of new Uint32Array(leaf.toFloat32Array().buffer))
      hash = Math.imul(hash ^ word, 0x01000193)
    digests[path] = `${t.showShape(leaf.shape)} ${hash >>> 0}`
  })
  return digests
}

/** Asserts that a run tells the same compiled and eagerly, and leaves nothing. Returns what it tells. */
export async function toldInBothModes<P extends t.Tree, S extends t.Tree>(
  model: Model<P, S>,
  options: FitOptions,
): Promise<readonly Telling[]> {
  const watched = options.watch !== undefined
  const before = t.memory()
  const runs: Telling[][] = []
  for (const [, mode] of modes) {
    runs.push(await told(fit(model, { ...options, ...mode }), watched))
    expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
  }
  expect(runs[0]).toEqual(runs[1])
  return runs[0]!
}
