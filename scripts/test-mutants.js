// `npm run test:mutants`: are the laws able to fail? Draws faults from a grammar over the operations, kernels and transforms, and
// runs the law matrix, and nothing else, on each. What no law notices is printed; it must be explained, as no fault at all, in
// scripts/mutants/equivalent.json, and be at most 2 %.
//
//   npm run test:mutants
//   npm run test:mutants -- --seed 7 --count 500 --only softmax
//   npm run test:mutants -- --grammar      whether every kind has sites, and what it writes parses: without running any
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { bundler } from './mutants/bundle.js'
import { draw } from './mutants/draw.js'
import { sitesOf, withCounters, withFault } from './mutants/grammar.js'
import { likeliestFirst } from './mutants/order.js'
import { run } from './mutants/run.js'
import { sources, textOf } from './mutants/sources.js'

const { values: options } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '260' },
    only: { type: 'string', default: '' },
    verbose: { type: 'boolean', default: false },
  },
})
const start = performance.now()
const seconds = () => ((performance.now() - start) / 1000).toFixed(0)
const lanes = Math.min(2, availableParallelism())

const parts = Object.fromEntries(
  Object.entries(sources()).map(([part, paths]) => [
    part,
    paths.filter((path) => path.includes(options.only)).map((path) => sitesOf(path, textOf(path))),
  ]),
)
const sites = draw(parts, Number(options.count), options.seed).map((site, id) => ({ ...site, id }))
const ofParts = Object.keys(parts).map(
  (part) => `${sites.filter((site) => site.part === part).length} in ${part}`,
)
console.log(`${sites.length} faults (${ofParts.join(', ')}), seed ${options.seed}`)

const bundlers = await Promise.all(Array.from({ length: lanes }, bundler))

/** The matrix on the source as it is: every law holds, or nothing can be said. */
async function baseline() {
  const paths = [...new Set(sites.map(({ path }) => path))].filter((path) => !path.includes('/assembly/'))
  const counting = paths.map((path) => [
    path,
    withCounters(
      textOf(path),
      sites.filter((site) => site.path === path),
    ),
  ])
  const code = await bundlers[0].write(new Map(counting))
  const outcomes = await Promise.all(
    Array.from({ length: lanes }, (_, part) => run(code, { part, of: lanes })),
  )
  const lines = outcomes.flatMap((outcome) => outcome.lines)
  const broken = lines.filter(({ problem }) => problem !== undefined)
  if (broken.length > 0 || outcomes.some(({ ended }) => ended !== 'well')) {
    const words = broken.map(({ name, law, problem }) => `${name}: ${law}: ${problem}`)
    throw new Error(
      `the laws do not hold without a fault:\n${[...words, ...outcomes.map(({ words }) => words)].join('\n')}`,
    )
  }
  const cells = lines.filter(({ law }) => law !== undefined)
  const atLoad = new Set(lines.filter(({ loaded }) => loaded).flatMap((line) => line.sites))
  return { cells, atLoad }
}

const { cells, atLoad } = await baseline()
console.log(`${cells.length} cells of the matrix hold without a fault (${seconds()} s)`)

/** @returns {Promise<{ outcome: 'killed' | 'survived' | 'refused', by: string }>} */
async function judge(site, make) {
  const wanted = likeliestFirst(site, cells, atLoad)
  if (wanted.length === 0) return { outcome: 'survived', by: 'no cell comes to it' }
  let bundle
  try {
    bundle = await make.write(new Map([[site.path, withFault(textOf(site.path), site)]]))
  } catch (error) {
    return { outcome: 'refused', by: String(error.message).slice(0, 300) }
  }
  const { lines, ended, words } = await run(bundle, {
    cells: wanted.map(({ row, law }) => [row, law]),
  })
  const failed = lines.find(({ problem }) => problem !== undefined)
  if (failed) return { outcome: 'killed', by: `${failed.name}: ${failed.law}` }
  if (ended === 'never') return { outcome: 'killed', by: `no end after ${lines.length} cells` }
  if (lines.length === 0)
    return { outcome: 'killed', by: `no load: ${words.split('\n').find((line) => /Error/.test(line))}` }
  if (ended === 'badly')
    return { outcome: 'killed', by: `a crash after ${lines.length} cells: ${words.slice(0, 200)}` }
  return { outcome: 'survived', by: `${lines.length - 1} cells pass` }
}

const results = []
const waiting = [...sites]
async function lane(make) {
  for (let site = waiting.shift(); site !== undefined; site = waiting.shift()) {
    const before = performance.now()
    const result = { site, ...(await judge(site, make)) }
    results.push(result)
    const took = ((performance.now() - before) / 1000).toFixed(1)
    if (options.verbose || result.outcome !== 'killed') {
      console.log(
        `${result.outcome} ${site.path}:${site.line} [${site.kind}] (${took} s)\n    ${site.before}\n    ${site.after}\n    ${result.by}`,
      )
    }
    if (results.length % 50 === 0) console.log(`${results.length} of ${sites.length} (${seconds()} s)`)
  }
}
await Promise.all(bundlers.map(lane))
await Promise.all(bundlers.map((make) => make.close()))

const explained = JSON.parse(readFileSync(join(import.meta.dirname, 'mutants/equivalent.json'), 'utf8'))
const explanationOf = ({ path, before, after }) =>
  explained.find((one) => one.path === path && one.before === before && one.after === after)
const survived = results.filter(({ outcome }) => outcome === 'survived')
const unexplained = survived.filter(({ site }) => explanationOf(site) === undefined)
const kinds = [...new Set(sites.map(({ kind }) => kind))].sort()
for (const kind of kinds) {
  const count = (outcome) =>
    results.filter((result) => result.site.kind === kind && result.outcome === outcome).length
  const refused = count('refused') === 0 ? '' : `, ${count('refused')} that do not compile`
  console.log(`${kind.padEnd(10)} ${count('killed')} killed, ${count('survived')} survived${refused}`)
}
const judged = results.filter(({ outcome }) => outcome !== 'refused').length
console.log(
  `${judged} faults: ${judged - survived.length} killed, ${survived.length} survived, ${unexplained.length} of them unexplained (${seconds()} s)`,
)
process.exitCode = unexplained.length > 0 || survived.length > 0.02 * judged ? 1 : 0
