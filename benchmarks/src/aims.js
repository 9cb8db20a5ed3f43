/**
 * What is aimed at, as conditions on the figures of one run: "level" is within 10 %.
 *
 * @import { Result } from './report.js'
 */

/** @typedef {{ of: string, allowed: number }} Limit allowed: the most that ours may be, of: whose figure that is a multiple of */
/** @typedef {{ text: string, limits: (rows: Rows, id: string) => Limit[] }} Aim */
/** @typedef {(id: string, peer: string) => number | undefined} Rows the figure of a peer in a row of this run */

const JAVASCRIPT = ['tfjs', 'jax']
const EVERY = [...JAVASCRIPT, 'torch']
const TITLES = { tfjs: 'tfjs', jax: 'jax-js', torch: 'PyTorch' }
const LEVEL = 1.1

/**
 * Ours must be at most so many times each of these.
 *
 * @param {Readonly<Record<string, number>>} factors by peer
 * @returns {Aim['limits']}
 */
const times = (factors) => (rows, id) =>
  Object.entries(factors).flatMap(([peer, factor]) => {
    const figure = rows(id, peer)
    return figure === undefined ? [] : [{ of: titleOf(peer), allowed: figure * factor }]
  })

/** @param {string} peer */
const titleOf = (peer) => TITLES[/** @type {keyof typeof TITLES} */ (peer)] ?? peer

/** @param {readonly string[]} peers @param {number} factor */
const eachTimes = (peers, factor) => times(Object.fromEntries(peers.map((peer) => [peer, factor])))

/** @type {readonly { rows: RegExp, aim: Aim }[]} the first that fits counts */
const AIMS = [
  {
    rows: /^W1\//,
    aim: {
      text: "1.3 x tfjs wasm's best form",
      limits: (rows, id) => {
        const size = id.split('/')[1]
        const forms = ['NN', 'NT', 'TN', 'TT'].flatMap((form) => rows(`W1/${size}/${form}`, 'tfjs') ?? [])
        return forms.length === 0 ? [] : [{ of: 'tfjs', allowed: Math.min(...forms) / 1.3 }]
      },
    },
  },
  {
    rows: /^W2\/32$/,
    aim: {
      text: '1/10 of tfjs, 1/3 of jax-js, ahead of PyTorch',
      limits: times({ tfjs: 1 / 10, jax: 1 / 3, torch: 1 }),
    },
  },
  {
    rows: /^W2\/256$/,
    aim: { text: '1/8 of tfjs, 2/3 of jax-js', limits: times({ tfjs: 1 / 8, jax: 2 / 3 }) },
  },
  { rows: /^W3$/, aim: { text: '1/15 of the best peer', limits: eachTimes(EVERY, 1 / 15) } },
  {
    rows: /^W4$/,
    aim: {
      text: '1/10 of tfjs, 1/2 of jax-js, level with PyTorch',
      limits: times({ tfjs: 1 / 10, jax: 1 / 2, torch: LEVEL }),
    },
  },
  {
    rows: /^W5$/,
    aim: { text: '1/25 of jax-js, within 2 x of PyTorch', limits: times({ jax: 1 / 25, torch: 2 }) },
  },
  {
    rows: /^W6\/(exp|gelu .*)$/,
    aim: { text: 'ahead of both JavaScript peers', limits: eachTimes(JAVASCRIPT, 1) },
  },
  { rows: /^W6\/tanh$/, aim: { text: 'ahead of every peer', limits: eachTimes(EVERY, 1) } },
  { rows: /^W6\/sigmoid$/, aim: { text: 'within 1.1 x of tfjs', limits: times({ tfjs: 1.1 }) } },
  {
    rows: /^W7\//,
    aim: { text: 'level with or ahead of JavaScript peers', limits: eachTimes(JAVASCRIPT, LEVEL) },
  },
  { rows: /^W8$/, aim: { text: 'heap flat, less than every peer', limits: eachTimes(EVERY, 1) } },
  { rows: /^W9$/, aim: { text: '1/2 of the best JavaScript peer', limits: eachTimes(JAVASCRIPT, 1 / 2) } },
  { rows: /^W10$/, aim: { text: 'faster than every peer', limits: eachTimes(EVERY, 1) } },
  { rows: /^bundle$/, aim: { text: 'at most 60 kB', limits: () => [{ of: '60 kB', allowed: 60 }] } },
]

/** @typedef {{ aim: string, verdict: string, missed: boolean }} Judgement */

/**
 * What was aimed at in a row, and how far from it ours are: 0.80 x of what is allowed, or 1.20 x.
 *
 * @param {Result} result
 * @param {readonly Result[]} results of the run
 * @param {readonly string[]} ours
 * @returns {Judgement}
 */
export function judge({ id, cells }, results, ours) {
  const aim = AIMS.find(({ rows }) => rows.test(id))?.aim
  if (aim === undefined) return { aim: '', verdict: '', missed: false }
  /** @type {Rows} */
  const rows = (row, peer) => figureOf(results.find((one) => one.id === row)?.cells[peer])
  const limits = aim.limits(rows, id).sort((a, b) => a.allowed - b.allowed)
  const [tightest] = limits
  const figures = ours.flatMap((name) => {
    const value = figureOf(cells[name])
    return value === undefined ? [] : [{ name, value }]
  })
  if (figures.length === 0) return { aim: aim.text, verdict: 'MISSED: no figure', missed: true }
  if (tightest === undefined) return { aim: aim.text, verdict: 'nobody to compare with', missed: false }
  const shares = figures.map(({ name, value }) => ({ name, share: value / tightest.allowed }))
  const missed = shares.some(({ share }) => !(share <= 1))
  const said = shares
    .map(({ name, share }) => `${shares.length > 1 ? `${name} ` : ''}${share.toFixed(2)}`)
    .join(', ')
  return {
    aim: aim.text,
    verdict: `${missed ? 'MISSED' : 'met'}: ${said} of the limit (${tightest.of})`,
    missed,
  }
}

/** @param {Result['cells'][string] | undefined} cell */
function figureOf(cell) {
  return cell !== undefined && 'value' in cell ? cell.value : undefined
}
