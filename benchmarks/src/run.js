/**
 * Runs every suite over every peer in one process and prints one table a benchmark.
 *
 *     npm run bench -w benchmarks -- --only surface-mlp --peers tfjs,jax --rounds 5 --seconds 0.5
 *
 * Exits with 1 when peers disagree on what they computed, when one leaks, or when a stated aim is missed.
 */
import { parseArgs } from 'node:util'
import { save, table } from './report.js'

const SUITES = ['surface-mlp', 'digits-mlp', 'matmul']
const PEERS = ['tapeflow', 'jax', 'tfjs']

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: SUITES.join(',') },
    peers: { type: 'string', default: PEERS.join(',') },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '0.5' },
  },
})

/**
 * @param {string} option
 * @param {string} given
 * @param {readonly string[]} known
 * @returns {string[]}
 */
function chosen(option, given, known) {
  const names = given.split(',')
  const stranger = names.find((name) => !known.includes(name))
  if (stranger !== undefined)
    throw new RangeError(`--${option}: unknown name, got ${stranger}; use ${known.join(', ')}`)
  return names
}

/**
 * @param {string} option
 * @param {string} given
 * @returns {number}
 */
function positive(option, given) {
  const number = Number(given)
  if (!(number > 0))
    throw new RangeError(
      `--${option}: a positive number is needed, got ${given}; leave it out for the default`,
    )
  return number
}

const effort = {
  rounds: Math.ceil(positive('rounds', values.rounds)),
  seconds: positive('seconds', values.seconds),
}
const suites = chosen('only', values.only, SUITES)
const peers = []
for (const name of chosen('peers', values.peers, PEERS)) {
  peers.push(await (await import(`./peers/${name}.js`)).open())
}
const [first] = peers
console.log(peers.map(({ name, version }) => `${name} ${version}`).join(', '))

const results = []
for (const suite of suites) {
  const { run } = await import(`./suites/${suite}.benny.js`)
  results.push(...(await run(peers, effort)))
}
for (const result of results) console.log(table(result, first.name))
const versions = peers.map(({ name, version }) => ({ name, version }))
console.log(`written: ${save({ peers: versions, rounds: effort.rounds, base: first.name, results })}`)

const missed = results.flatMap(({ judgements = [] }) => judgements).filter(({ holds }) => !holds)
if (missed.length > 0) {
  console.error(`missed: ${missed.map(({ claim }) => claim).join('; ')}`)
  process.exitCode = 1
}
