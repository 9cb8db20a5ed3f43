import { always, type Caller, ofOne, range } from './program-calls.ts'

/** Basic operations, as random programs call them. */
export const basics: Readonly<Record<string, Caller>> = {
  clip: ofOne(
    'clip',
    always,
    ({ low, high, integer }) => range(Math.max(-1, low), Math.max(-1, high), integer),
    (_, draw) => draw.pick([[-1, 2], [-1]]),
  ),
}
