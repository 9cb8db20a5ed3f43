// In which order the cells of the matrix look at a mutant: those first that come to where the fault is, and cost little.
import { exportsThrough } from './bundle.js'

/**
 * What a cell of the matrix came to and cost, on the source as it is.
 * @typedef {{ row: number, name: string, law: string, milliseconds: number, sites: number[], kernels: string[] }} Cell
 */

/**
 * The cells that may notice a fault, the likeliest first. None where no cell, and no file as it is loaded, comes to it.
 *
 * What a cell comes to is counted, but not what it finds in a cache that an earlier one of its row filled: so the rest of the row
 * follows. What is reached as files are loaded, a record or a number in it, may matter anywhere: those of the same name, then all.
 *
 * @param {{ id: number, path: string }} site
 * @param {readonly Cell[]} cells
 * @param {ReadonlySet<number>} atLoad sites that are reached as files are loaded
 * @returns {readonly Cell[]}
 */
export function likeliestFirst(site, cells, atLoad) {
  const through = exportsThrough(site.path)
  const comesThere = ({ sites, kernels }) =>
    sites.includes(site.id) || kernels.some((name) => through.has(name))
  const reaching = new Set(cells.filter(comesThere))
  const rows = new Set([...reaching].map(({ row }) => row))
  const own = nameOf(site.path)
  const group = (cell) => {
    if (reaching.has(cell)) return 0
    if (rows.has(cell.row) || cell.name.startsWith(own)) return 1
    return rows.size === 0 && atLoad.has(site.id) ? 2 : 3
  }
  if (reaching.size === 0 && !atLoad.has(site.id)) return []
  return cells
    .map((cell) => ({ cell, group: group(cell) }))
    .filter(({ group }) => group < 3)
    .sort((a, b) => a.group - b.group || a.cell.milliseconds - b.cell.milliseconds)
    .map(({ cell }) => cell)
}

/** `ops/log-softmax.ts` -> `logSoftmax` */
const nameOf = (path) =>
  path.slice(path.lastIndexOf('/') + 1, -'.ts'.length).replace(/-(\w)/g, (_, letter) => letter.toUpperCase())
