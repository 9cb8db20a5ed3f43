/**
 * A workload on its way to the workers: `<name>.json` with the structure, `<name>.bin` with all floats behind one another
 * (little endian). Every library, the one in Python too, is thus given the same bits, and none pays for making them.
 *
 * @import { Values, Workload } from './peer.ts'
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * @param {string} folder
 * @param {string} name
 * @param {Workload} workload
 * @returns {string} the path of the JSON file
 */
export function writeWorkload(folder, name, workload) {
  /** @type {Float32Array[]} */
  const floats = []
  let at = 0
  const text = JSON.stringify(workload, (_key, value) => {
    if (!isValues(value)) return value
    const placed = { shape: value.shape, at }
    floats.push(value.values)
    at += value.values.length
    return placed
  })
  const file = join(folder, `${name.replaceAll(/[^A-Za-z0-9]+/g, '-')}.json`)
  writeFileSync(file, text)
  writeFileSync(
    binOf(file),
    Buffer.concat(floats.map((v) => new Uint8Array(v.buffer, v.byteOffset, v.byteLength))),
  )
  return file
}

/**
 * @param {string} file the path of the JSON file
 * @returns {Workload}
 */
export function readWorkload(file) {
  const bytes = readFileSync(binOf(file))
  // A small file is read into a part of a pool: floats need an offset of their own.
  const floats = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
  return JSON.parse(readFileSync(file, 'utf8'), (_key, value) => {
    if (typeof value?.at !== 'number') return value
    const size = value.shape.reduce((/** @type {number} */ a, /** @type {number} */ b) => a * b, 1)
    return { shape: value.shape, values: floats.subarray(value.at, value.at + size) }
  })
}

/** @param {string} file */
const binOf = (file) => file.replace(/json$/, 'bin')

/**
 * @param {unknown} value
 * @returns {value is Values}
 */
function isValues(value) {
  return (
    typeof value === 'object' && value !== null && 'values' in value && value.values instanceof Float32Array
  )
}
