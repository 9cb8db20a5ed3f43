import * as Plot from '@observablehq/plot'
import { draw } from '../course/draw.ts'
import { centres, ring, spreadOf } from './ring.ts'

/** What the generator made after so many steps. */
export interface Moment {
  readonly step: number
  readonly points: Float32Array
}

const columns = 4
// More would hide each other, and make the file large.
const shown = 200

/** Moments of a run side by side: clouds as circles of three deviations, and some of the points. */
export function picture(title: string, moments: readonly Moment[]): string {
  const place = (i: number): { fx: number; fy: number } => ({ fx: i % columns, fy: Math.floor(i / columns) })
  const points = moments.flatMap(({ points }, i) =>
    Array.from({ length: Math.min(shown, points.length / 2) }, (_, k) => ({
      ...place(i),
      x: points[2 * k]!,
      y: points[2 * k + 1]!,
    })),
  )
  const clouds = moments.flatMap((_, i) => centres.map(([x, y]) => ({ ...place(i), x, y })))
  const titles = moments.map(({ step, points }, i) => {
    const { covered, near } = spreadOf(points)
    return { ...place(i), text: `${step} steps: ${covered} of ${ring.modes}, ${Math.round(100 * near)} %` }
  })
  const size = 215
  const domain = [-1.5, 1.5]
  return draw(title, {
    width: 60 + size * columns,
    height: 90 + size * Math.ceil(moments.length / columns),
    marginTop: 62,
    marginLeft: 36,
    marginRight: 30,
    marginBottom: 28,
    fx: { label: null, axis: null, padding: 0.06 },
    fy: { label: null, axis: null, padding: 0.14 },
    x: { label: null, domain, ticks: [-1, 0, 1] },
    y: { label: null, domain, ticks: [-1, 0, 1] },
    marks: [
      Plot.dot(clouds, {
        fx: 'fx',
        fy: 'fy',
        x: 'x',
        y: 'y',
        r: 3 * ring.deviation * (size / 3.2),
        fill: '#ddd',
      }),
      Plot.dot(points, {
        fx: 'fx',
        fy: 'fy',
        x: 'x',
        y: 'y',
        r: 1.3,
        fill: '#4269d0',
        fillOpacity: 0.7,
        clip: true,
      }),
      Plot.text(titles, {
        fx: 'fx',
        fy: 'fy',
        text: 'text',
        frameAnchor: 'top-left',
        lineAnchor: 'bottom',
        dy: -6,
        fontSize: 11.5,
      }),
    ],
  })
}
