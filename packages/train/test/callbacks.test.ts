import { mse } from '@tapeflow/nn'
import { adam, cosineDecay, sgd } from '@tapeflow/optim'
import { map, type Observable, of } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { type Callback, earlyStopping, fit, lrWarmup, type Model, result, type TrainCommand, type TrainEvent } from '../src/index.ts'
import { eventsOf, framewise, line, points, twoPoints, virtually } from './small.ts'

/**
 * A run of one step an epoch, whose validation loss and metric `score` are what `values` says: its one weight counts the
 * steps made, so that weights can be told apart.
 */
function measuring(values: readonly number[], callbacks: readonly Callback[], log: string[] = []): Observable<TrainEvent<unknown, unknown>> {
  const score = (step: number): number => values[Math.round(step) - 1]!
  return fit(line, {
    data: points([1, 0]).batch(1),
    validation: points([0, 0]).batch(1),
    // The gradient with respect to the bias is -1, so that a rate of 1 adds 1.
    loss: (prediction, target, weights) => mse()(prediction, target, weights),
    optimizer: sgd({ learningRate: 1 }),
    epochs: values.length,
    callbacks,
    log: () => log.push('logged'),
    metrics: [{ name: 'score', init: () => 0, update: (_, prediction) => score(prediction.item()), result: Number }],
  })
}
