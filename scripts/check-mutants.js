// `npm run ok -- mutants`: the grammar of faults. Each kind writes what its examples say; it has sites in the sources; every file
// parses with a fault in it, and with the counters that say where a law comes.
import ts from 'typescript'
import { draw } from './mutants/draw.js'
import { sitesOf, withCounters, withFault } from './mutants/grammar.js'
import { kinds } from './mutants/kinds.js'
import { sources, textOf } from './mutants/sources.js'

/** @type {Record<keyof typeof kinds, Record<string, readonly string[]>>} a line, and all that the kind makes of it */
const examples = {
  sign: {
    'f(a + b)': ['f(a - b)'],
    's -= -x': ['s += -x', 's -= x'],
    'e.add(x, neg(y))': ['e.sub(x, neg(y))', 'e.add(x, y)'],
    'p = "a" + b': [],
    'for (; i < n; i += 4) f()': [],
  },
  term: {
    'f(a - b)': ['f(a)'],
    'mul(g, y)': ['g', 'y'],
    'e.mulAdd(a, b, c)': ['c'],
    's += x': ['s = x'],
  },
  axis: {
    'n = shape[axis]': ['n = shape[axis + 1]', 'n = shape[axis - 1]'],
    'n = x.shape[0]!': ['n = x.shape[1]!'],
    'k(out, outer, n, inner)': ['k(out, inner, n, outer)'],
    'sum(g, { axis: -1, keepDims: true })': [
      'sum(g, { axis: 0, keepDims: true })',
      'sum(g, { axis: -1, keepDims: false })',
    ],
    'matmul(g, b, { transposeB: true })': ['matmul(g, b, { transposeB: false })'],
  },
  broadcast: { 'summedTo(mul(g, y), x.shape)': ['mul(g, y)'], 'sum(g, { axis: 0 })': ['g'] },
  loop: {
    'for (let i = 0; i < n; i++) f(i)': [
      'for (let i = 1; i < n; i++) f(i)',
      'for (let i = 0; i <= n; i++) f(i)',
    ],
  },
  tail: {
    '{ for (; n >= 4; n -= 4) f(); for (; n > 0; n--) g() }': [
      '{ for (; n >= 4; n -= 4) f(); for (; false; n--) g() }',
      '{ for (; n >= 4; n -= 4) f(); for (; n > 1; n--) g() }',
    ],
  },
  constant: { 'x * 0.5 ** 2': ['x * 0.505 ** 2', 'x * 0.5 ** 3'] },
  rounding: { 'Math.floor(x)': ['Math.ceil(x)'] },
  comparison: {
    'y = a < b ? a : b': ['y = a < b ? b : a', 'y = a <= b ? a : b'],
    'e.greater(x, Math.min(a, b))': ['e.greaterEqual(x, Math.min(a, b))', 'e.greater(x, Math.max(a, b))'],
    'if (a && !b) f()': ['if (a || !b) f()', 'if (a && b) f()'],
  },
  nan: {
    'e.select(e.equal(x, x), y, x)': ['e.select(e.equal(x, x), x, y)'],
    'y = x === x': ['y = true'],
    'Number.isNaN(x)': ['false'],
    'e.maximum(a, b)': ['e.pmax(a, b)'],
  },
  rule: { 'r = { vjp: [(g) => g, null] }': ['r = { vjp: [null, null] }'] },
}

const problems = []
const check = (condition, problem) => condition || problems.push(problem)

for (const kind of Object.keys(kinds)) {
  check(Object.hasOwn(examples, kind), `${kind} has no example`)
  for (const [line, expected] of Object.entries(examples[kind] ?? {})) {
    const sites = sitesOf('example.ts', line).filter((site) => site.kind === kind)
    const made = sites.map((site) => withFault(line, site))
    check(
      `${made}` === `${expected}`,
      `${kind} makes of ${line}\n  ${made.join('\n  ')}\nand not\n  ${expected.join('\n  ')}`,
    )
  }
}

function parses(path, text) {
  const { diagnostics } = ts.transpileModule(text, { fileName: path, reportDiagnostics: true })
  const words = diagnostics.map(
    ({ messageText, start }) => `${messageText} at ${text.slice(start - 40, start + 40)}`,
  )
  // AssemblyScript's decorators stand where TypeScript allows none.
  return words.filter((word) => !word.startsWith('Decorators are not valid here'))
}

const parts = Object.entries(sources()).map(([part, paths]) => [
  part,
  paths.map((path) => sitesOf(path, textOf(path))),
])
for (const site of draw(Object.fromEntries(parts), 250, 'check')) {
  const words = parses(site.path, withFault(textOf(site.path), site))
  check(words.length === 0, `${site.path}:${site.line}\n  ${site.before}\n  ${site.after}\n  ${words}`)
}
const all = parts.flatMap(([, lists]) => lists.flat())
for (const kind of Object.keys(kinds))
  check(
    all.some((site) => site.kind === kind),
    `${kind} has no site`,
  )
for (const [, lists] of parts) {
  for (const sites of lists) {
    if (sites.length === 0 || sites[0].path.includes('/assembly/')) continue
    const counted = withCounters(
      textOf(sites[0].path),
      sites.map((site, id) => ({ ...site, id })),
    )
    check(
      parses(sites[0].path, counted).length === 0,
      `${sites[0].path} with counters: ${parses(sites[0].path, counted)}`,
    )
  }
}

if (problems.length > 0) {
  console.error(problems.join('\n'))
  process.exitCode = 1
} else console.log(`${all.length} sites of ${Object.keys(kinds).length} kinds`)
