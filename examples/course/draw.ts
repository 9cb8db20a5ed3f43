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
  return `${plot.outerHTML}\n`
}

/** Lines, each named at its right end. */
export function lines(
  title: string,
  points: readonly Point[],
  { x, y, log = false }: { readonly x: string; readonly y: string; readonly log?: boolean },
): string {
  const at = { x: 'x', y: 'y', stroke: 'line' } as const
  return draw(title, {
    marginRight: 130,
    x: { label: x, nice: true, labelAnchor: 'center', labelArrow: 'none' },
    y: { label: null, grid: true, ...(log ? { type: 'log', tickFormat: '~g', ticks: 6 } : { nice: true }) },
    color: { scheme: 'Observable10' },
    marks: [
      Plot.text([y], { frameAnchor: 'top-left', lineAnchor: 'bottom', dy: -8, fill: '#666' }),
      Plot.lineY(points, { ...at, strokeWidth: 1.8 }),
      Plot.text(
        points,
        Plot.selectLast({
          ...{ x: 'x', y: 'y', z: 'line', text: 'line', fill: 'line' },
          textAnchor: 'start',
          dx: 6,
        }),
      ),
    ],
  })
}
