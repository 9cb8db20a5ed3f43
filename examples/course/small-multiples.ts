import * as Plot from '@observablehq/plot'
import { draw } from './draw.ts'

/** One small picture: a title and a few lines over the same axis. */
export interface Panel {
  readonly title: string
  readonly lines: readonly { readonly name: string; readonly values: readonly number[] }[]
}

/** About how wide a letter of a name is, and what is between two names. */
const letter = 5.9
const gap = 10
const colours = ['#4269d0', '#e8743b', '#2f9e62']

/** Panels side by side, in rows of `columns`, all with the same axes: values from 0 to 1 over their index. */
export function smallMultiples(
  title: string,
  panels: readonly Panel[],
  { columns, x }: { readonly columns: number; readonly x: string },
): string {
  const rows = Math.ceil(panels.length / columns)
  const place = (i: number): { fx: number; fy: number } => ({ fx: i % columns, fy: Math.floor(i / columns) })
  const points = panels.flatMap(({ lines }, i) =>
    lines.flatMap(({ values }, k) =>
      values.map((y, x) => ({ ...place(i), line: `${i} ${k}`, colour: colours[k], x, y })),
    ),
  )
  const titles = panels.map(({ title }, i) => ({ ...place(i), text: title }))
  const names = panels.flatMap(({ lines }, i) => {
    let right = 0
    return lines.map(({ name }, k) => {
      const dx = right
      right += name.length * letter + gap
      return { ...place(i), text: name, colour: colours[k], dx }
    })
  })
  return draw(title, {
    width: 920,
    height: 80 + 165 * rows,
    marginTop: 80,
    marginLeft: 44,
    fx: { label: null, axis: null, padding: 0.12 },
    fy: { label: null, axis: null, padding: 0.46 },
    x: { label: x, ticks: [0, 50, 100], labelAnchor: 'right', labelArrow: 'none' },
    y: { label: null, domain: [0, 1.02], ticks: [0, 0.5, 1] },
    marks: [
      Plot.line(points, {
        fx: 'fx',
        fy: 'fy',
        x: 'x',
        y: 'y',
        z: 'line',
        stroke: 'colour',
        strokeWidth: 1.6,
      }),
      Plot.text(titles, {
        fx: 'fx',
        fy: 'fy',
        text: 'text',
        frameAnchor: 'top-left',
        lineAnchor: 'bottom',
        dy: -19,
        fontSize: 12.5,
        fontWeight: 'bold',
        fill: '#222',
      }),
      // One by one: how far text is shifted is an option of a mark, not of a datum.
      ...names.map(({ dx, ...name }) =>
        Plot.text([name], {
          fx: 'fx',
          fy: 'fy',
          text: 'text',
          fill: 'colour',
          frameAnchor: 'top-left',
          lineAnchor: 'bottom',
          dx,
          dy: -5,
          fontSize: 10.5,
        }),
      ),
    ],
  })
}
