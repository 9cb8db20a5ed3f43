import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'

/** A point of a line: which line, and where. */
export interface Point {
  readonly line: string
  readonly x: number
  readonly y: number
}

/** A plot as an SVG document with a title above it, on white. */
export function draw(title: string, options: Plot.PlotOptions): string {
  const { document } = parseHTML('<html></html>')
  const width = options.width ?? 640
  const height = options.height ?? 400
  const plot = Plot.plot({
    document,
    marginTop: 60,
    marginBottom: 44,
    marginLeft: 56,
    ...options,
    width,
    height,
    marks: [Plot.frame({ stroke: '#ccc' }), ...(options.marks ?? [])],
  })
  plot.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  plot.setAttribute('style', 'background: white; font: 12px system-ui, sans-serif; color: #222')
  const heading = document.createElementNS('http://www.w3.org/2000/svg', 'text')
  for (const [name, value] of Object.entries({
    x: 12,
    y: 20,
    'text-anchor': 'start',
    'font-size': 15,
    fill: '#222',
  }))
    heading.setAttribute(name, String(value))
  heading.textContent = title
  plot.append(heading)
  return `${rounded(plot.outerHTML)}\n`
}

/** Places to a hundredth of a pixel: pictures of a third of the size. */
function rounded(svg: string): string {
  return svg.replaceAll(/ (?:d|cx|cy|transform)="[^"]*"/g, (places) =>
    places.replaceAll(/\d+\.\d{3,}/g, (digits) => String(Number(Number(digits).toFixed(2)))),
  )
}

/** How far names are apart at least, as a share of the height. */
const apart = 0.05

/** The right ends of lines, moved apart where their names would overlap. */
function ends(points: readonly Point[], log: boolean): Point[] {
  const heightOf = (y: number): number => (log ? Math.log(y) : y)
  const heights = points.map(({ y }) => heightOf(y))
  const least = apart * (Math.max(...heights) - Math.min(...heights))
  const last = [...new Map(points.map((point) => [point.line, point])).values()]
  const below = new Map<number, number>()
  return last
    .toSorted((a, b) => a.y - b.y)
    .map((point) => {
      const height = Math.max(heightOf(point.y), (below.get(point.x) ?? Number.NEGATIVE_INFINITY) + least)
      below.set(point.x, height)
      return { ...point, y: log ? Math.exp(height) : height }
    })
}

/** Lines, each named at its right end. */
export function lines(
  title: string,
  points: readonly Point[],
  { x, y, log = false }: { readonly x: string; readonly y: string; readonly log?: boolean },
): string {
  const tickFormat = (value: number): string =>
    value === 0 || (value >= 1e-3 && value < 1e4) ? String(value) : value.toExponential()
  return draw(title, {
    marginRight: 150,
    x: { label: x, nice: true, labelAnchor: 'center', labelArrow: 'none' },
    y: { label: null, grid: true, ...(log ? { type: 'log', tickFormat, ticks: 6 } : { nice: true }) },
    color: { scheme: 'Observable10' },
    marks: [
      Plot.text([y], { frameAnchor: 'top-left', lineAnchor: 'bottom', dy: -8, fill: '#666' }),
      Plot.lineY(points, { x: 'x', y: 'y', stroke: 'line', strokeWidth: 1.8 }),
      Plot.text(ends(points, log), {
        x: 'x',
        y: 'y',
        text: 'line',
        fill: 'line',
        textAnchor: 'start',
        dx: 6,
      }),
    ],
  })
}
