import fc from 'fast-check'

const long = import.meta.env['LONG'] === '1'

const given = import.meta.env['SEED']

/** The same samples each time; a long run draws others, and many more of them; SEED says which. */
const seed = given ? Number(given) : long ? Date.now() % 2 ** 31 : 20261122

// Of what Node has tried the browser tries a half again: the kernels are the same, and there is one page beside two cores.
const share = long ? 20 : 'document' in globalThis ? 0.5 : 1

/**
 * Asserts a property on `numRuns` samples, in a browser on the first half of them, and on 20 times as many in a long run. A failure
 * prints seed and path.
 */
export function assertProperty<T>(property: fc.IProperty<T>, numRuns: number): void {
  fc.assert(property, { seed, numRuns: Math.ceil(share * numRuns) })
}
