/**
 * Points with lines fitted through them, as an SVG that reads well on light and dark pages.
 *
 * @typedef {{ x: number, y: number }} Point
 * @typedef {{ slope: number, intercept: number }} Line
 * @typedef {{ name: string, points: readonly Point[], line: Line, colour: string }} Series
 */

/**
 * The straight line of least squares.
 *
 * @param {readonly Point[]} points
 * @returns {Line}
 */
export function fitLine(points) {
  const mean = (/** @type {(point: Point) => number} */ of) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length
  const [x, y] = [mean((p) => p.x), mean((p) => p.y)]
  const slope = mean((p) => (p.x - x) * (p.y - y)) / mean((p) => (p.x - x) ** 2)
  return { slope, intercept: y - slope * x }
}

const width = 760
const height = 420
/** Where the axes lie in the picture. */
export const area = { left: 64, right: width - 24, top: 72, bottom: height - 52 }

/**
 * @param {{ title: string, subtitle: string, x: string, y: string, series: readonly Series[] }} what x, y: names of the axes
 * @returns {string}
 */
export function plot({ title, subtitle, x, y, series }) {
  const xs = [...new Set(series.flatMap(({ points }) => points.map((p) => p.x)))]
  const last = Math.max(...xs)
  const step = niceStep(Math.max(...series.flatMap(({ points }) => points.map((p) => p.y))) / 5)
  const most = step * Math.ceil(Math.max(...series.flatMap(({ points }) => points.map((p) => p.y))) / step)
  const across = (/** @type {number} */ v) => round(area.left + (v / last) * (area.right - area.left))
  const up = (/** @type {number} */ v) => round(area.bottom - (v / most) * (area.bottom - area.top))
  const grid = Array.from({ length: most / step + 1 }, (_, i) => i * step).map(
    (v) =>
      `<path d="M${area.left} ${up(v)}H${area.right}" stroke="${v === 0 ? '#888' : '#e4e4e4'}"/>` +
      label(area.left - 8, up(v) + 4, String(v), 'text-anchor="end"'),
  )
  const ticks = xs
    // Small numbers stand too close to be told apart.
    .filter((v) => v === Math.min(...xs) || v >= last / 8)
    .map((v) => label(across(v), area.bottom + 20, String(v), 'text-anchor="middle"'))
  const curves = series.map(({ name, points, line, colour }, i) => {
    const ends = [0, last].map((v) => [across(v), up(Math.max(0, line.slope * v + line.intercept))].join(' '))
    const dots = points.map((p) => `<circle cx="${across(p.x)}" cy="${up(p.y)}" r="4.5"/>`)
    const legend = area.top + 16 + 22 * i
    return `<g fill="${colour}"><path d="M${ends.join('L')}" stroke="${colour}" stroke-width="1.5" stroke-dasharray="5 4"/>${dots.join('')}<circle cx="${area.left + 18}" cy="${legend - 4}" r="4.5"/></g>${label(area.left + 30, legend, name)}`
  })
  return frame({ title, subtitle, x, y }, [...grid, ...ticks, ...curves])
}

/**
 * The picture around the axes.
 *
 * @param {{ title: string, subtitle: string, x: string, y: string }} words
 * @param {readonly string[]} inner
 * @returns {string} an SVG
 */
export function frame({ title, subtitle, x, y }, inner) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="13" fill="#333" role="img" aria-label="${title}">
<rect width="${width}" height="${height}" rx="8" fill="#fff"/>
${label(24, 30, title, 'font-size="16" font-weight="600"')}
${label(24, 50, subtitle, 'fill="#666"')}
${inner.join('\n')}
${label(area.left - 8, area.top - 8, y, 'text-anchor="end"')}
${label(area.right, area.bottom + 40, x, 'text-anchor="end"')}
</svg>
`
}

/**
 * @param {number} x
 * @param {number} y
 * @param {string} said
 * @param {string} [attributes]
 * @returns {string}
 */
export function label(x, y, said, attributes = '') {
  return `<text x="${x}" y="${y}" ${attributes}>${said}</text>`
}

/** 1, 2 or 5 times a power of ten, `least` or more. @param {number} least */
function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(least))
  return /** @type {number} */ ([1, 2, 5, 10].map((m) => m * power).find((v) => v >= least))
}

/** @param {number} v */
function round(v) {
  return Math.round(v * 10) / 10
}
