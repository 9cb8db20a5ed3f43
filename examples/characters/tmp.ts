import { bigramBits } from './bigram.ts'
import { gruModel, transformerModel } from './models.ts'
import { mobyDick } from './text.ts'
import { trainCharacters } from './train.ts'

const text = mobyDick()
console.log(bigramBits(text))
const [which, steps, rows, length, rate] = process.argv.slice(2)
const model = which === 'gru' ? gruModel : transformerModel
const { bits, seconds } = await trainCharacters(model(text.alphabet.length), text, {
  steps: +steps!,
  rows: +rows!,
  length: +length!,
  learningRate: +rate!,
  seed: 1,
})
console.log(which, steps, rows, length, rate, bits, seconds)
