import type { CallbackInfo } from './callback.ts'

/**
 * Tells the run's log, where its length is known and it is over before an epoch or a step that a callback waits for.
 *
 * @param at the first one, counted from 0
 * @param consequence `weights of no epoch are averaged`
 */
export function tellNeverReached(
  { epochs, steps, stepsPerEpoch, log }: CallbackInfo,
  callback: string,
  unit: 'epoch' | 'step',
  at: number,
  consequence: string,
): void {
  const inEpochs = epochs ?? Math.ceil(steps! / stepsPerEpoch!)
  const length = unit === 'step' ? steps : inEpochs
  // NaN where it is not known.
  if (!(at >= length!)) return
  log(`${callback}: ${consequence}`, `${unit} ${at} does not come: the run has ${length} ${unit}s, from 0 on`)
}
