// Trains models that foretell the next character of Moby Dick, and compares them with counts of pairs of characters, in bits per
// character of text that none of them has seen: `npm run try examples/characters/main.ts`.
import * as t from '@tapeflow/autodiff'
import { Command, InvalidArgumentError, Option } from 'commander'
import { bigramBits } from './bigram.ts'
import { type CharacterModel, gruModel, transformerModel } from './models.ts'
import { mobyDick } from './text.ts'
import { trainCharacters } from './train.ts'
import { written } from './write.ts'

function count(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isSafeInteger(value) && value >= 1) return value
  throw new InvalidArgumentError('It must be an integer from 1 on.')
}

const { model, steps, seed } = new Command('npm run try -- examples/characters/main.ts')
  .description('Trains models that foretell the next character of Moby Dick.')
  .addOption(
    new Option('-m, --model <name>', 'which one').choices(['gru', 'transformer', 'both']).default('both'),
  )
  .option('-n, --steps <count>', 'steps of training, of 2,048 characters each', count, 600)
  .option('-s, --seed <number>', 'what weights and the order of the text are drawn from', count, 1)
  .parse()
  .opts<{ model: 'gru' | 'transformer' | 'both'; steps: number; seed: number }>()

const text = mobyDick()
const { alphabet, train, heldOut } = text
console.log(
  `Moby Dick: ${train.length} characters to learn from, ${heldOut.length} held out, ${alphabet.length} different ones`,
)
console.log(`bigrams: ${bigramBits(text).toFixed(3)} bits per character`)

const sizes = { steps, rows: 32, length: 64, seed }
const candidates: readonly [
  name: 'gru' | 'transformer',
  make: (characters: number) => CharacterModel,
  rate: number,
][] = [
  ['gru', gruModel, 0.005],
  ['transformer', transformerModel, 0.003],
]
for (const [name, make, learningRate] of candidates) {
  if (model !== 'both' && model !== name) continue
  const trained = await trainCharacters(make(alphabet.length), text, { ...sizes, learningRate })
  console.log(`${name}: ${trained.bits.toFixed(3)} bits per character after ${trained.seconds.toFixed(0)} s`)
  if (name !== 'gru') continue
  const line = t.scope(() =>
    written(gruModel(alphabet.length, 1), trained.params(), alphabet, 'The whale', 200, t.key(seed)),
  )
  console.log(`\n${line}\n`)
}
