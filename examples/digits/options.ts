import { Command, InvalidArgumentError, Option } from 'commander'
import type { Choices } from './train.ts'

/** What the command line chooses. A wrong one is told in one line, and ends the process with status 2. */
export function choicesFrom(argv: readonly string[]): Choices {
  const command = new Command('npm start --')
    .description(
      'Trains a classifier of handwritten digits and reports how it does on digits that it has not seen.',
    )
    .option('-e, --epochs <count>', 'how often the training digits are seen', count, 6)
    .option('-b, --batch-size <rows>', 'digits a step', count, 32)
    .option(
      '-r, --learning-rate <rate>',
      'highest learning rate (default: 0.003 for adam, 0.05 for sgd)',
      rate,
    )
    .addOption(
      new Option('-o, --optimizer <name>', 'how weights are updated')
        .choices(['adam', 'sgd'])
        .default('adam'),
    )
    .option('-s, --seed <number>', 'what weights and the order of digits are drawn from', seed, 0)
    .addOption(
      new Option('--hidden <sizes>', 'sizes of the hidden layers, separated by commas')
        .argParser(sizes)
        .default([128, 64], '128,64'),
    )
    .helpOption('-h, --help', 'show this')
    .configureOutput({ outputError: (text, write) => write(`${text.trim().replaceAll(/\s*\n\s*/g, ' ')}\n`) })
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
    .parse(argv)
  const given = command.opts<Omit<Choices, 'learningRate'> & { learningRate?: number }>()
  return { ...given, learningRate: given.learningRate ?? (given.optimizer === 'adam' ? 0.003 : 0.05) }
}

/** A number of things, from 1 on. */
export function count(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isSafeInteger(value) && value >= 1) return value
  throw new InvalidArgumentError('It must be an integer from 1 on.')
}

/** What random numbers are drawn from: an integer from 0 on. */
export function seed(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isSafeInteger(value) && value >= 0) return value
  throw new InvalidArgumentError('It must be an integer from 0 on.')
}

function rate(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value
  throw new InvalidArgumentError('It must be a number above 0.')
}

function sizes(text: string): readonly number[] {
  return text.split(',').map(count)
}
