import { failRange, failType, kindOf, knownOptions } from '@tapeflow/autodiff'
import { type Flow, requireCount } from '../flow.ts'
import { done, item, pass, pullUntil } from '../pull.ts'
import { isBatch, isRow, type Row, type Stacked, sizeOf } from '../row.ts'

export interface BatchOptions {
  /** Leaves out a last batch with fewer rows; false by default. */
  readonly dropLast?: boolean
}

/**
 * Rows stacked into batches of `size`: each array gets the rows as its leading axis, `[784]` becomes `[size, 784]` and `[]`
 * becomes `[size]`. The last batch has the rows that are left.
 *
 *     in   a - b - c - d - e |
 *     out  ----[a,b]---[c,d]-[e] |        size = 2
 *
 * @param size how many rows, an integer of at least 1
 * @throws RangeError, when pulled, if two rows differ in their names or shapes, or values do not fill their shape
 * @throws TypeError, when pulled, if an element is not a record of `{ shape, values }`
 *
 * @example
 * const [first] = dataset({ x: { shape: [3, 2], values: Float32Array.of(1, 2, 3, 4, 5, 6) } }).batch(2)
 * assert.deepEqual(first, { x: { shape: [2, 2], values: Float32Array.of(1, 2, 3, 4) } })
 */
export function batch<T>(flow: Flow<T>, size: number, options: BatchOptions = {}): Flow<Stacked<T>> {
  const { dropLast = false } = knownOptions('batch', options, 'dropLast')
  requireCount('batch', 'the size', size, 1)
  const { view, length: rows, reorders } = flow
  const length = rows === undefined ? undefined : dropLast ? Math.floor(rows / size) : Math.ceil(rows / size)
  const source = view?.source
  if (view !== undefined && rows !== undefined && source?.gather !== undefined) {
    return {
      length,
      reorders,
      live: flow.live,
      iterate: (epoch) => gathered(source.gather!.bind(source), view.order(epoch), rows),
    }
  }
  return {
    length,
    reorders,
    live: flow.live,
    iterate(epoch) {
      const inner = flow.iterate(epoch)
      let ended = false
      let before = 0
      return pass(inner, () => {
        if (ended) return done
        const held: T[] = []
        return pullUntil(inner, (result) => {
          if (result.done) ended = true
          else held.push(result.value)
          if (!ended && held.length < size) return undefined
          if (held.length === 0 || (dropLast && held.length < size)) return done
          before += held.length
          return item(stack(held, before - held.length))
        })
      })
    },
  }

  function gathered(
    gather: (indices: Uint32Array) => Stacked<T>,
    order: (position: number) => number,
    rows: number,
  ) {
    const indices = new Uint32Array(Math.min(size, rows))
    let position = 0
    return pass(undefined, () => {
      const count = Math.min(size, rows - position)
      if (count <= 0 || (dropLast && count < size)) return done
      for (let i = 0; i < count; i++) indices[i] = order(position + i)
      position += count
      return item(gather(count === indices.length ? indices : indices.subarray(0, count)))
    })
  }
}

/** @param before how many rows the pass has given already, for the errors */
function stack<T>(elements: readonly T[], before: number): Stacked<T> {
  const rows = elements.map((element, i) => requireRow(element, before + i))
  const first = rows[0]!
  const names = Object.keys(first)
  rows.forEach((row, i) => {
    requireAlike(row, first, names, before + i, before)
  })
  const fields = names.map((name) => {
    const { shape } = first[name]!
    const width = sizeOf(shape)
    const values = new Float32Array(rows.length * width)
    rows.forEach((row, i) => {
      values.set(row[name]!.values, i * width)
    })
    return [name, { shape: [rows.length, ...shape], values }]
  })
  return Object.fromEntries(fields) as Stacked<T>
}

function requireRow(element: unknown, position: number): Row {
  if (isRow(element)) return element
  const fields = typeof element === 'object' && element !== null ? Object.entries(element) : []
  const [name, field] = fields.find((entry) => !isBatch(entry[1])) ?? []
  const problem = name === undefined ? `got ${kindOf(element)}` : `but its ${name} is ${kindOf(field)}`
  const remedy = 'make rows with map first'
  return failType(
    'batch',
    `row ${position} must be a record of { shape, values: Float32Array }, ${problem}`,
    remedy,
  )
}

function requireAlike(
  row: Row,
  first: Row,
  names: readonly string[],
  position: number,
  before: number,
): void {
  const own = Object.keys(row)
  if (own.length !== names.length || !names.every((name) => name in row)) {
    failRange(
      'batch',
      `row ${position} has the fields ${own.join(', ')}, row ${before} has ${names.join(', ')}`,
    )
  }
  for (const name of names) {
    const { shape, values } = row[name]!
    const expected = first[name]!.shape
    if (shape.length !== expected.length || !shape.every((n, axis) => n === expected[axis])) {
      failRange(
        'batch',
        `the shapes of ${name} differ, got [${shape}] in row ${position} and [${expected}] in row ${before}`,
      )
    }
    if (values.length !== sizeOf(shape)) {
      failRange('batch', `${name} of row ${position} has shape [${shape}] but ${values.length} values`)
    }
  }
}
