import * as t from '@tapeflow/autodiff'
import { init, numpy as np, nn, jit, defaultDevice } from '@jax-js/jax'
await init('wasm'); defaultDevice('wasm')
const n = 1024
const values = new Float32Array(n*n).map((_, i) => Math.sin(i * 12.9898) * 3)
const x = t.tensor(values, [n, n])
const jx = np.array(values).reshape([n, n]); jx.ref.dataSync()
const tf = process.argv[2] === 'tf' ? await import('@tensorflow/tfjs') : null
const cases = {
  'sum0': () => { t.scope(() => { t.sum(x, { axis: 0 }) }) },
  'sum1': () => { t.scope(() => { t.sum(x, { axis: 1 }) }) },
  'softmax': () => { t.scope(() => { t.softmax(x) }) },
  'softmax0': () => { t.scope(() => { t.softmax(x, { axis: 0 }) }) },
  'logSoftmax': () => { t.scope(() => { t.logSoftmax(x) }) },
  'max0': () => { t.scope(() => { t.max(x, { axis: 0 }) }) },
  'max1': () => { t.scope(() => { t.max(x, { axis: 1 }) }) },
  'mean-': () => { t.scope(() => { t.mean(x, { axis: [] }) }) },
  'exp': () => { t.scope(() => { t.exp(x) }) },
  'variance0': () => { t.scope(() => { t.variance(x, { axis: 0 }) }) },
  'variance1': () => { t.scope(() => { t.variance(x, { axis: 1 }) }) },
  'prod1': () => { t.scope(() => { t.prod(x, { axis: 1 }) }) },
  'norm': () => { t.scope(() => { t.norm(x) }) },
  'cumSum0': () => { t.scope(() => { t.cumSum(x, { axis: 0 }) }) },
  'cumSum1': () => { t.scope(() => { t.cumSum(x, { axis: 1 }) }) },
}
const jitted = {
  sum0: jit((a) => np.sum(a, 0)), sum1: jit((a) => np.sum(a, 1)), softmax: jit((a) => nn.softmax(a)),
}
for (const [k, f] of Object.entries(jitted)) cases['jax ' + k] = () => { f(jx.ref).dataSync() }
const only = process.env.ONLY?.split(',')
const names = Object.keys(cases).filter((k) => !only || only.some((o) => k.includes(o)))
const times = Object.fromEntries(names.map((k) => [k, []]))
for (const k of names) { const e = performance.now() + 150; while (performance.now() < e) cases[k]() }
for (let r = 0; r < 60; r++) for (const k of names) {
  const reps = k.includes('jax softmax') ? 1 : 8
  const s = performance.now(); for (let i = 0; i < reps; i++) cases[k](); times[k].push((performance.now() - s) / reps * 1000)
}
for (const k of names) { const a = times[k].sort((p, q) => p - q); console.log(k.padEnd(14), 'min', a[0].toFixed(0), 'q1', a[15].toFixed(0), 'med', a[30].toFixed(0)) }
