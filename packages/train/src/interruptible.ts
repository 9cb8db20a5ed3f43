import type { Flow, Session } from './session.ts'
import type { Program } from './slices.ts'

/** Lets others have their turn; acts on what came meanwhile, and waits while the run is paused. */
export function* interruptible<P, S>(session: Session<P, S>): Program {
  const { flow, boundary } = session
  yield
  boundary.settle()
  if (isHeld(flow)) yield* paused(session)
}

/** Whether the run waits: while steps are made again it does not. */
export function isHeld({ paused, replay }: Flow): boolean {
  return paused && replay === null
}

/** Waits until the run is resumed or stopped. The time does not count. */
export function* paused<P, S>({ flow, boundary, time }: Session<P, S>): Program {
  time.hold()
  while (isHeld(flow) && flow.stop === null) {
    yield 'hold'
    boundary.settle()
  }
  time.go()
}
