import * as t from '@tapeflow/autodiff'

const functions: Readonly<Record<string, unknown>> = t

/**
 * A value as code that makes it, with Tapeflow at hand as `t`: tensors that are plain data become tensors, with no more
 * digits than float32 needs; functions go by their name, `f` where they have none.
 *
 * @param value plain data, keys, functions, and arrays and plain objects of them
 */
export function asCode(value: unknown): string {
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value)
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'function') return nameOf(value.name, value)
  if (typeof value !== 'object' || value === null) return String(value)
  if (value instanceof t.Key)
    return `t.key(${value.high === 0 ? value.low : `[${value.high}, ${value.low}]`})`
  if (isSnapshot(value)) return tensorCode(value)
  if (Array.isArray(value)) return `[${value.map(asCode).join(', ')}]`
  const entries = Object.entries(value).map(([name, inner]) => {
    const key = isName(name) ? name : quoted(name)
    const code = asCode(inner)
    return key === code ? key : `${key}: ${code}`
  })
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`
}

const isName = (text: string): boolean => /^[A-Za-z_$][\w$]*$/.test(text)

const quoted = (text: string): string =>
  `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`

function nameOf(name: string, value: unknown): string {
  if (!isName(name)) return 'f'
  return functions[name] === value ? `t.${name}` : name
}

function tensorCode({ shape, values }: t.Snapshot): string {
  // Brackets do not show the axes around an empty one.
  if (t.sizeOf(shape) === 0) return `t.tensor([], ${asCode(shape)})`
  return `t.tensor(${nested(Array.from(values, shortest), shape)})`
}

function nested(numbers: readonly string[], [size, ...inner]: t.Shape): string {
  if (size === undefined) return numbers[0]!
  const width = t.sizeOf(inner)
  const rows = Array.from({ length: size }, (_, i) =>
    nested(numbers.slice(i * width, (i + 1) * width), inner),
  )
  return `[${rows.join(', ')}]`
}

function shortest(x: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const value = Number(x.toPrecision(digits))
    if (Object.is(Math.fround(value), x)) return asCode(value)
  }
  return asCode(x)
}

function isSnapshot(value: object): value is t.Snapshot {
  return 'shape' in value && 'values' in value && value.values instanceof Float32Array
}
