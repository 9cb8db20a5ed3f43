// Trains with @tapeflow/train: a run is an observable.
import { fit, losses, type TrainEvent } from '@tapeflow/train'
import { lastValueFrom, map, type Observable, toArray } from 'rxjs'
import recipe from './recipe.js'

/** Losses of 60 steps on y = 1 - 2x. */
export function stream(): Promise<number[]> {
  const { model, ...options } = recipe({ steps: 60 })
  return lossesOf(fit(model, options))
}

/** The losses of a run, wherever it is. */
export function lossesOf(run: Observable<TrainEvent>): Promise<number[]> {
  return lastValueFrom(
    run.pipe(
      losses(),
      map(({ loss }) => loss),
      toArray(),
    ),
  )
}
