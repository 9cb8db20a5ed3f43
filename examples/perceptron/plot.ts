/** A dot of a picture. */
export interface Dot {
  readonly x: number
  readonly y: number
  /** Which colour it has. */
  readonly group: number
  /** Whether a ring is drawn around it. */
  readonly ringed?: boolean
}

/** A line across a picture: a x + b y + c = 0. */
export interface Line {
  readonly name: string
  readonly a: number
  readonly b: number
  readonly c: number
  readonly dashed?: boolean
}

/** What a picture shows. */
export interface Picture {
  readonly title: string
  /** What the axes mean. */
  readonly axes: readonly [x: string, y: string]
  /** The names of the groups of dots, by number. */
  readonly groups: readonly string[]
  readonly dots: readonly Dot[]
  readonly lines: readonly Line[]
}

const [width, height, margin, legend] = [640, 420, 50, 170]
const colours = ['#4c78a8', '#e45756', '#54a24b']
const strokes = ['#222', '#b279a2', '#9d755d', '#888']

/** Dots and lines as a whole SVG document. */
export function draw({ title, axes, groups, dots, lines }: Picture): string {
  const [horizontal, vertical] = [dots.map(({ x }) => x), dots.map(({ y }) => y)].map(rangeOf)
  const right = width - legend
  const atX = (x: number): number => margin + ((x - horizontal!.from) / horizontal!.size) * (right - margin)
  const atY = (y: number): number =>
    height - margin - ((y - vertical!.from) / vertical!.size) * (height - 2 * margin)
  const clip = `<clipPath id="inside"><rect x="${margin}" y="${margin}" width="${right - margin}" height="${height - 2 * margin}"/></clipPath>`
  const ticks = [
    ...horizontal!.ticks.map((x) => text(atX(x), height - margin + 18, String(x), 'middle')),
    ...vertical!.ticks.map((y) => text(margin - 8, atY(y) + 4, String(y), 'end')),
  ]
  const words = [
    text(margin, 28, title, 'start', 15),
    text((margin + right) / 2, height - 10, axes[0], 'middle'),
    text(margin, margin - 8, axes[1], 'start'),
  ]
  const marks = dots.map(({ x, y, group, ringed = false }) => {
    const place = `cx="${short(atX(x))}" cy="${short(atY(y))}"`
    const ring = ringed ? `<circle ${place} r="8" fill="none" stroke="#222"/>` : ''
    return `<circle ${place} r="4" fill="${colours[group]}" fill-opacity="0.7"/>${ring}`
  })
  const strokesOf = lines.map((line, i) => {
    const [p, q] = endsOf(line, horizontal!, vertical!)
    const dash = line.dashed ? ' stroke-dasharray="6 4"' : ''
    const ends = `x1="${short(atX(p.x))}" y1="${short(atY(p.y))}" x2="${short(atX(q.x))}" y2="${short(atY(q.y))}"`
    return `<line ${ends} stroke="${strokes[i % strokes.length]}" stroke-width="1.5"${dash}/>`
  })
  const names = [
    ...groups.map((name, i) => text(right + 24, margin + 10 + 20 * i, name, 'start', 12, colours[i])),
    ...lines.map(({ name }, i) =>
      text(
        right + 24,
        margin + 10 + 20 * (i + groups.length),
        name,
        'start',
        12,
        strokes[i % strokes.length],
      ),
    ),
  ]
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif">
<rect width="${width}" height="${height}" fill="white"/>
${clip}
<rect x="${margin}" y="${margin}" width="${right - margin}" height="${height - 2 * margin}" fill="none" stroke="#ccc"/>
<g clip-path="url(#inside)">
${[...marks, ...strokesOf].join('\n')}
</g>
${[...words, ...ticks, ...names].join('\n')}
</svg>
`
}

interface Range {
  readonly from: number
  readonly size: number
  readonly ticks: readonly number[]
}

/** Somewhat more than what the values fill, with ticks at round numbers. */
function rangeOf(values: readonly number[]): Range {
  const [least, most] = [Math.min(...values), Math.max(...values)]
  const spare = (most - least) * 0.06
  const power = 10 ** Math.floor(Math.log10((most - least) / 4))
  const distance = power * [1, 2, 5, 10].find((times) => (most - least) / (times * power) <= 8)!
  const first = Math.ceil((least - spare) / distance)
  const count = Math.floor((most + spare) / distance) - first + 1
  const ticks = Array.from({ length: count }, (_, i) => Number(((first + i) * distance).toPrecision(6)))
  return { from: least - spare, size: most - least + 2 * spare, ticks }
}

/** Two points of a line, on the left and right or lower and upper edge, whichever it crosses more steeply. */
function endsOf({ a, b, c }: Line, x: Range, y: Range): [{ x: number; y: number }, { x: number; y: number }] {
  const steep = Math.abs(a * x.size) > Math.abs(b * y.size)
  const at = (share: number): { x: number; y: number } => {
    const along = steep ? y.from + share * y.size : x.from + share * x.size
    return steep ? { x: -(b * along + c) / a, y: along } : { x: along, y: -(a * along + c) / b }
  }
  return [at(0), at(1)]
}

const short = (value: number): string => value.toFixed(1)

function text(x: number, y: number, words: string, anchor: string, size = 12, fill = '#222'): string {
  const safe = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<text x="${short(x)}" y="${short(y)}" text-anchor="${anchor}" font-size="${size}" fill="${fill}">${safe}</text>`
}
