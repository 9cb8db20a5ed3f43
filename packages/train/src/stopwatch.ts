/** Measures a run: pauses do not count. */
export interface Stopwatch {
  /** Seconds since it was made, without those it was held. */
  seconds(): number
  hold(): void
  go(): void
  /** Moves it on to so many seconds, where it tells fewer: a run that goes on has taken what it had taken. */
  advance(to: number): void
}

/** A stopwatch that runs; `now` tells milliseconds. */
export function stopwatch(now: () => number): Stopwatch {
  let begun = now()
  let held: number | null = null
  const seconds = (): number => ((held ?? now()) - begun) / 1000
  return {
    seconds,
    hold: () => {
      held ??= now()
    },
    go: () => {
      if (held !== null) begun += now() - held
      held = null
    },
    advance: (to) => {
      begun -= Math.max(0, to - seconds()) * 1000
    },
  }
}
