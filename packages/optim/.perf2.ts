import * as t from '@tapeflow/autodiff'
const { add, mul, scope, sqrt, square, sub, div } = t
const k = (x: number) => t.tensor(x)
const [b1, r1, b2, r2, eps, a] = [0.9, 0.1, 0.999, 0.001, 1e-8, 1e-3].map(k) as any[]
const shapes = [[256],[784,256],[128],[256,128],[10],[128,10]]
const leaf = {
  now: (w: any, g: any, m: any, v: any) => { const nm = scope(() => add(mul(m, b1), mul(g, r1))); const nv = scope(() => add(mul(v, b2), mul(square(g), r2))); const root = sqrt(nv); return [sub(w, mul(div(nm, add(root, eps)), a)), nm, nv] },
  flat: (w: any, g: any, m: any, v: any) => { const nm = add(mul(m, b1), mul(g, r1)); const nv = add(mul(v, b2), mul(square(g), r2)); const root = sqrt(nv); return [sub(w, mul(div(nm, add(root, eps)), a)), nm, nv] },
  tight: (w: any, g: any, m: any, v: any) => { const nm = scope(() => add(mul(m, b1), mul(g, r1))); const nv = scope(() => add(scope(() => mul(square(g), r2)), mul(v, b2))); const s = scope(() => { const d = scope(() => add(sqrt(nv), eps)); return scope(() => mul(div(nm, d), a)) }); return [sub(w, s), nm, nv] },
  two: (w: any, g: any, m: any, v: any) => { const nm = scope(() => add(mul(m, b1), mul(g, r1))); const nv = scope(() => add(mul(v, b2), mul(square(g), r2))); const s = scope(() => div(nm, scope(() => add(sqrt(nv), eps)))); return [sub(w, mul(s,a)), nm, nv] },
  blocks: (w: any, g: any, m: any, v: any): any => { const rows = Math.max(1, Math.floor(16384 / (w.size / w.shape[0]))); if (w.shape[0] <= rows) return leaf.tight(w,g,m,v); const parts = []; for (let i = 0; i < w.shape[0]; i += rows) { const sl = (x: any) => t.slice(x, i, Math.min(i+rows, w.shape[0])); parts.push(scope(() => leaf.tight(sl(w), sl(g), sl(m), sl(v)))) } return [0,1,2].map((q) => t.concat(parts.map((p: any) => p[q]))) },
}
const best: any = {}
for (let round = 0; round < 60; round++) for (const [name, f] of Object.entries(leaf)) {
  let s = shapes.map((x) => [t.ones(x), t.zeros(x), t.zeros(x)]); const g = shapes.map((x) => t.full(x, .01))
  const step = (n: number) => { for (let i = 0; i < n; i++) { const next = scope(() => s.map((r, j) => scope(() => f(r[0], g[j], r[1], r[2])))); s.flat().forEach((x) => x.dispose()); s = next as any } }
  step(4); const from = performance.now(); step(8); const us = (performance.now() - from) / 8 * 1000
  best[name] = Math.min(best[name] ?? 1e9, us); s.flat().forEach((x) => x.dispose()); g.forEach(x=>x.dispose())
}
console.log(best)
