// In which order the cells of the matrix look at a mutant: those first that come to where the fault is, and cost little.
import { exportsThrough } from './bundle.js'

/**
 * @typedef {{ row: number, column: string, path: string, milliseconds: number, sites: number[], kernels: string[] }} Cell
 * @typedef {Record<string, { imports: { path: string }[] }>} Imports
 */

/**
 * The cells that may notice a fault, the likeliest first. None where no cell, and no file as it is loaded, comes to it.
 *
 * What a cell reaches is counted, but for what an earlier cell left in a cache: so the whole rows of cells that come there, and all of
 * files that import the faulty one, follow.
 *
 * @param {{ id: number, path: string }} site
 * @param {readonly Cell[]} cells
 * @param {ReadonlySet<number>} atLoad sites that are reached as files are loaded
 * @param {Imports} imports
 * @returns {readonly Cell[]}
 */
export function likeliestFirst(site, cells, atLoad, imports) {
  const isKernel = site.path.includes('/assembly/')
  const through = isKernel ? exportsThrough(site.path) : new Set()
  const comesThere = (cell) =>
    isKernel ? cell.kernels.some((name) => through.has(name)) : cell.sites.includes(site.id)
  const reaching = new Set(cells.filter(comesThere))
  if (reaching.size === 0 && !atLoad.has(site.id)) return []
  const distance = isKernel ? new Map() : distancesTo(site.path, imports)
  const far = ({ path }) => distance.get(path) ?? Number.POSITIVE_INFINITY
  const rows = new Set([...reaching].map(({ row }) => row))
  const group = (cell) => (reaching.has(cell) ? 0 : rows.has(cell.row) ? 1 : 2)
  const cost = (cell) => cell.milliseconds * (1 + Math.min(far(cell), 9))
  return cells
    .filter((cell) => group(cell) < 2 || (!isKernel && far(cell) < Number.POSITIVE_INFINITY))
    .map((cell) => ({ cell, group: group(cell), cost: cost(cell) }))
    .sort((a, b) => a.group - b.group || a.cost - b.cost)
    .map(({ cell }) => cell)
}

/** How many imports lie between each file and one. */
function distancesTo(path, imports) {
  const importers = new Map()
  for (const [from, { imports: list }] of Object.entries(imports)) {
    for (const { path: to } of list) importers.set(to, [...(importers.get(to) ?? []), from])
  }
  const distance = new Map([[path, 0]])
  const queue = [path]
  for (const at of queue) {
    for (const from of importers.get(at) ?? []) {
      if (distance.has(from)) continue
      distance.set(from, distance.get(at) + 1)
      queue.push(from)
    }
  }
  return distance
}
