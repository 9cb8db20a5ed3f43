import * as t from '@tapeflow/autodiff'
import * as tf from '@tensorflow/tfjs-core'
import { setWasmPaths, setThreadsCount } from '@tensorflow/tfjs-backend-wasm'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
const require = createRequire(import.meta.url)
setThreadsCount(1)
setWasmPaths(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + '/')
await tf.setBackend('wasm'); await tf.ready()
const n = 1024
const values = new Float32Array(n*n).map((_, i) => Math.sin(i * 12.9898) * 3)
const x = t.tensor(values, [n, n]); const tx = tf.tensor(values, [n, n])
const cases = {
 softmax: () => t.scope(() => { t.softmax(x) }), exp: () => t.scope(() => { t.exp(x) }),
 'tf softmax': () => tf.tidy(() => { tf.softmax(tx) }), 'tf exp': () => tf.tidy(() => { tf.exp(tx) }),
}
const times = {}
for (const k in cases) { times[k] = []; for (let i = 0; i < 60; i++) cases[k]() }
for (let r = 0; r < 200; r++) for (const k in cases) { const s = performance.now(); cases[k](); times[k].push((performance.now() - s) * 1000) }
for (const k in cases) { const a = times[k].sort((p, q) => p - q); console.log(k.padEnd(12), 'min', a[0].toFixed(0), 'q1', a[50].toFixed(0), 'med', a[100].toFixed(0)) }
