// usage: node tmp-asm.mjs dirA dirB ... : times kernels of variants, interleaved
import asc from 'assemblyscript/asc'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
const variants = []
for (const dir of process.argv.slice(2)) {
  let binary
  const { error, stderr } = await asc.main([`${dir}/index.ts`, '--baseDir', '/', ...'--memoryBase 1024 --importMemory --noExportMemory --sharedMemory --initialMemory 1 --maximumMemory 65536 --enable simd --enable threads --enable bulk-memory --runtime stub --use abort= -O3 --noAssert --converge --outFile kernels.wasm'.split(' ')], {
    readFile: (name, base) => { try { return readFileSync(join(base, name), 'utf8') } catch { return null } },
    writeFile: (_n, c) => { binary = c }, listFiles: () => [], stderr: { write: (s) => process.stderr.write(s) } })
  if (error) throw error
  const memory = new WebAssembly.Memory({ initial: 400, maximum: 65536, shared: true })
  const k = new WebAssembly.Instance(new WebAssembly.Module(binary), { env: { memory } }).exports
  const n = 1024
  const f = new Float32Array(memory.buffer)
  const x = 65536, out = 65536 + 4 * n * n + 65536
  for (let i = 0; i < n * n; i++) f[x / 4 + i] = Math.sin(i * 12.9898) * 3
  variants.push({ dir, size: binary.length, k, x, out, n })
}
const cases = {
  softmax: ({ k, x, out, n }) => k.softmax(x, out, n, n),
  logSumExp: ({ k, x, out, n }) => k.logSumExp(x, out, n, n),
  softmax0: ({ k, x, out, n }) => k.softmaxColumns(x, out, 1, n, n, 0, 65536+4*n*n+1024),
  softmaxC: ({ k, x, out, n }) => k.softmaxColumns(x, out, 1024, 32, 32, 0, 65536+4*n*n+1024),
  sum0: ({ k, x, out, n }) => k.reduceSum(x, out, 1, n, n),
  sum1: ({ k, x, out, n }) => k.reduceSum(x, out, n, n, 1),
  max0: ({ k, x, out, n }) => k.reduceMax(x, out, 1, n, n, 0),
  max1: ({ k, x, out, n }) => k.reduceMax(x, out, n, n, 1, 0),
  var0: ({ k, x, out, n }) => k.reduceSquares(x, out, 1, n, n, 1, n, 0, 65536+4*n*n+1024),
  var1: ({ k, x, out, n }) => k.reduceSquares(x, out, n, n, 1, 1, n, 0, 65536+4*n*n+1024),
  cum0: ({ k, x, out, n }) => k.prefix(x, x, out, 1, n, n, 0, 0, 0, 65536+4*n*n+1024),
  cum1: ({ k, x, out, n }) => k.prefix(x, x, out, n, n, 1, 0, 0, 0, 65536+4*n*n+1024),
}
const only = process.env.ONLY?.split(',')
for (const [name, run] of Object.entries(cases)) {
  if (only && !only.includes(name)) continue
  const best = variants.map(() => Infinity)
  for (const v of variants) for (let i = 0; i < 30; i++) run(v)
  for (let r = 0; r < 150; r++) variants.forEach((v, i) => { const s = performance.now(); run(v); best[i] = Math.min(best[i], performance.now() - s) })
  console.log(name.padEnd(10), best.map((b) => (b * 1000).toFixed(0).padStart(7)).join(' '))
}
console.log('bytes', variants.map((v) => v.size).join(' '))
