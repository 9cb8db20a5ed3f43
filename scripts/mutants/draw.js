// Draws faults: from every file, and of every kind as often as may be.
import { createHash } from 'node:crypto'

/** A number for a site that depends on the seed and on what the site says alone: faults elsewhere do not change it. */
function rank(seed, { path, kind, before, after }) {
  return createHash('sha256')
    .update(JSON.stringify([seed, path, kind, before, after]))
    .digest('hex')
}

/**
 * Draws `count` sites. Parts and files take turns, so that there is one from each file before there are two from any; of a file's
 * sites it is one of the kind that was drawn least often so far, and among these the one of lowest rank.
 *
 * @param {Readonly<Record<string, readonly (readonly import('./grammar.js').Site[])[]>>} parts the sites of each file, by part
 * @returns {(import('./grammar.js').Site & { part: string })[]}
 */
export function draw(parts, count, seed) {
  const drawn = []
  const often = new Map()
  const files = Object.entries(parts).flatMap(([part, lists]) =>
    lists
      .filter((sites) => sites.length > 0)
      .map((sites) => {
        const ranked = sites.map((site) => ({ ...site, part, rank: rank(seed, site) }))
        return { part, left: ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1)), rank: ranked[0].rank }
      }),
  )
  // Kernels hold most of the sites in few files: later rounds go to files by how much is in them.
  const turn = (round) => files.filter(({ left }) => left.length > 0 && left.length >= weight(round))
  for (let round = 0; drawn.length < count && files.some(({ left }) => left.length > 0); round++) {
    for (const file of turn(round).sort((a, b) => (a.rank < b.rank ? -1 : 1))) {
      if (drawn.length === count) break
      const rarest = Math.min(...file.left.map(({ kind }) => often.get(kind) ?? 0))
      const site = file.left.find(({ kind }) => (often.get(kind) ?? 0) === rarest)
      // Another fault at the same place is hardly another one.
      file.left = file.left.filter((other) => other.start >= site.end || other.end <= site.start)
      often.set(site.kind, rarest + 1)
      drawn.push(site)
    }
  }
  return drawn
}

const weight = (round) => (round === 0 ? 1 : Math.max(1, 40 / round))
