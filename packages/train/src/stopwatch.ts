/** Measures a run: pauses do not count. */
export interface Stopwatch {
  /** Seconds since it was made, without those it was held. */
  seconds(): number
  hold(): void
  go(): void
}

/** A stopwatch that runs; `now` tells milliseconds. */
export function stopwatch(now: () => number): Stopwatch {
  let begun = now()
  let held: number | null = null
  return {
    seconds: () => ((held ?? now()) - begun) / 1000,
    hold: () => {
      held ??= now()
    },
    go: () => {
      if (held !== null) begun += now() - held
      held = null
    },
  }
}
