import * as t from '@tapeflow/autodiff'
import { adam, sgd } from '@tapeflow/optim'
const bench = (name: string, params: any, opt: any, n = 300) => {
  const g = t.mapTensors(params, (x: t.Tensor) => t.full(x.shape, 0.01))
  let state = { params, slots: opt.init(params) }
  let i = 0
  const run = (k: number) => { state = t.fold(state, Array.from({length:k},()=>i++), (s: any, step: number) => opt.update(g, s.slots, s.params, opt.hyper(step))) as any }
  run(200)
  const times: number[] = []
  for (let r = 0; r < 15; r++) { const a = performance.now(); run(n); times.push((performance.now()-a)/n*1000) }
  times.sort((a,b)=>a-b)
  console.log(name, 'min', times[0]!.toFixed(1), 'median', times[7]!.toFixed(1), 'us', JSON.stringify(t.memory()))
}
const lin = (a: number,b: number) => ({ bias: t.zeros([b]), weight: t.full([a,b], 0.1) })
for (const [n, o] of [['adam', adam({})], ['sgd', sgd({learningRate:.1})], ['momentum', sgd({learningRate:.1, momentum:.9})]] as const) {
  bench(n+' 235146', [lin(784,256), lin(256,128), lin(128,10)].map(x=>x), o, 40)
  bench(n+' W2', [lin(784,128), lin(128,64), lin(64,10)], o, 60)
  bench(n+' W3', [lin(2,16), lin(16,16), lin(16,1)], o, 2000)
}
const x = t.full([784,256], 1), y = t.full([784,256], 2)
for (const [n,f] of [['mul vv', () => t.mul(x,y)], ['sqrt', () => t.sqrt(x)], ['div', () => t.div(x,y)], ['mul vs', () => t.mul(x,2)]] as const) {
  for (let k=0;k<500;k++) t.scope(()=>{f()})
  const a = performance.now(); for (let k=0;k<500;k++) t.scope(()=>{f()}); console.log(n, ((performance.now()-a)*2).toFixed(1),'us')
}
