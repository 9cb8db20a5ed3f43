import { EMPTY } from 'rxjs'
import { progressBar } from '@tapeflow/train/node'
import * as t from '@tapeflow/autodiff'
import { digitsApart, trainDigits } from './digits/train.ts'
import { examine, reportText } from './digits/report.ts'
const data = digitsApart()
const [test] = await data.test.batch(1000).toArray()
const configs = JSON.parse(process.argv[2]!) as any[]
for (const [epochs, batchSize, learningRate] of configs) {
const accs: number[] = []
const begun = performance.now()
let text = '', bests: number[] = []
for (const seed of JSON.parse(process.argv[4]!)) {
const { history, predict } = await trainDigits(data, { epochs, batchSize, learningRate, optimizer: process.argv[3] as any, seed, hidden: [128, 64] }, progressBar({stream: process.stderr}), EMPTY)
const r = examine(predict, test!)
const best = history.reduce((a, b) => a.validation!.loss < b.validation!.loss ? a : b)
bests.push(best.epoch)
accs.push(r.accuracy)
text = reportText(r)
}
accs.sort()
if (process.argv[5]) console.log(text)
console.log(epochs, batchSize, learningRate, 'min', accs[0]!.toFixed(4), 'median', ((accs[(accs.length-1)>>1]! + accs[accs.length>>1]!)/2).toFixed(4), 'best epochs', bests.join(), ((performance.now() - begun) / 1000 / accs.length).toFixed(1) + ' s each', t.memory().bytes)
}
