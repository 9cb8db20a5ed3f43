// Trains a convolutional network on handwritten digits and reports how it does on digits that it has not seen:
// `npm run try examples/digits/cnn.ts`, with `-- --seed 1` for another start.
import { progressBar } from '@tapeflow/train/node'
import { Command } from 'commander'
import { trainConvolutional } from './convolutional.ts'
import { count, seed } from './options.ts'
import { examine, reachedText, reportText } from './report.ts'
import { digitsApart } from './train.ts'

const choices = new Command('npm run try examples/digits/cnn.ts --')
  .option('-e, --epochs <count>', 'how often the training digits are seen', count, 6)
  .option('-s, --seed <number>', 'what weights and the order of digits are drawn from', seed, 0)
  .parse()
  .opts<{ readonly epochs: number; readonly seed: number }>()

const data = digitsApart()
const [test] = await data.test.batch(data.test.length!).toArray()
const { reason, history, predict } = await trainConvolutional(data, choices, progressBar())
console.log(`\n${reachedText(reason, history)}\n\n${reportText(examine(predict, test!))}`)
