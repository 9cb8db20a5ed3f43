/**
 * Points on logarithmic axes with the straight line of slope 1 through each series' last one, as an SVG that reads well on light and
 * dark pages: what lies on its line grows linearly.
 *
 * @import { Point } from './line-plot.js'
 */
import { area, frame, label } from './line-plot.js'

/** @typedef {{ name: string, points: readonly Point[], colour: string }} PointSeries */

/**
 * @param {{ title: string, subtitle: string, x: string, y: string, series: readonly PointSeries[] }} what x, y: names of the axes
 * @returns {string}
 */
export function plotLogarithmic({ series, ...words }) {
  const points = series.flatMap((one) => one.points)
  const across = axis(
    points.map(({ x }) => x),
    area.left,
    area.right,
  )
  const up = axis(
    points.map(({ y }) => y),
    area.bottom,
    area.top,
  )
  const grid = up.decades.map(
    (v) =>
      `<path d="M${area.left} ${up.at(v)}H${area.right}" stroke="#e4e4e4"/>${label(area.left - 8, up.at(v) + 4, shown(v), 'text-anchor="end"')}`,
  )
  const ticks = across.decades.map(
    (v) =>
      `<path d="M${across.at(v)} ${area.top}V${area.bottom}" stroke="#e4e4e4"/>${label(across.at(v), area.bottom + 20, shown(v), 'text-anchor="middle"')}`,
  )
  const curves = series.map(({ name, points: own, colour }, i) => {
    const end = /** @type {Point} */ (own.at(-1))
    // From where the line of slope 1 enters the picture, left or below.
    const from = Math.max(across.least, (end.x * up.least) / end.y)
    const line = `M${across.at(from)} ${up.at((end.y * from) / end.x)}L${across.at(end.x)} ${up.at(end.y)}`
    const dots = own.map(({ x, y }) => `<circle cx="${across.at(x)}" cy="${up.at(y)}" r="4.5"/>`).join('')
    const legend = area.top + 16 + 22 * i
    return `<g fill="${colour}"><path d="${line}" stroke="${colour}" stroke-width="1.5" stroke-dasharray="5 4"/>${dots}<circle cx="${area.left + 18}" cy="${legend - 4}" r="4.5"/></g>${label(area.left + 30, legend, name)}`
  })
  return frame(words, [...grid, ...ticks, ...curves])
}

/**
 * An axis of whole decades.
 *
 * @param {readonly number[]} values above 0
 * @param {number} from pixels
 * @param {number} to pixels
 */
function axis(values, from, to) {
  const low = Math.floor(Math.log10(Math.min(...values)))
  const high = Math.ceil(Math.log10(Math.max(...values)))
  return {
    least: 10 ** low,
    decades: Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i)),
    at: (/** @type {number} */ value) =>
      Math.round((from + ((Math.log10(value) - low) / (high - low)) * (to - from)) * 10) / 10,
  }
}

/** @param {number} value a power of ten */
const shown = (value) => (value < 1 ? String(Number(value.toPrecision(1))) : value.toLocaleString('en'))
