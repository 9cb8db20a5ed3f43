// Trains a classifier of handwritten digits and reports how it does on digits that it has not seen: `npm start`.
import type { TrainCommand } from '@tapeflow/train'
import { progressBar } from '@tapeflow/train/node'
import { Subject } from 'rxjs'
import { choicesFrom } from './options.ts'
import { examine, reachedText, reportText } from './report.ts'
import { digitsApart, trainDigits } from './train.ts'

// Whoever read the output has gone (`| head`): nobody is left to tell.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})

const choices = choicesFrom(process.argv)
const data = digitsApart()
const [test] = await data.test.batch(data.test.length!).toArray()

const { hidden, optimizer, learningRate, batchSize, seed } = choices
console.log(
  `digits: ${data.train.length} to train, ${data.validation.length} to validate, ${data.test.length} to test`,
)
console.log(
  `${[784, ...hidden, 10].join('-')}, ${optimizer} with rate ${learningRate}, batches of ${batchSize}, seed ${seed}\n`,
)

// The first Ctrl-C stops before the next step, a second one at once.
const commands = new Subject<TrainCommand>()
const interrupted = 'interrupted'
process.once('SIGINT', () => commands.next({ type: 'stop', reason: interrupted }))

const { reason, history, predict } = await trainDigits(data, choices, progressBar(), commands)

console.log(`\n${reachedText(reason, history)}`)
if (reason === interrupted) process.exitCode = 130
else console.log(`\n${reportText(examine(predict, test!))}`)
