import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

interface Ended {
  readonly status: number | null
  readonly out: string
  readonly err: string
}

/** Runs the command as `npm start` does, with its output in pipes. */
function digits(
  options: readonly string[],
  at?: RegExp,
  interrupt: (child: ChildProcessWithoutNullStreams) => void = (child) => child.kill('SIGINT'),
): Promise<Ended> {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const main = ['--conditions=@tapeflow/source', '--import', 'tsx', 'examples/digits/main.ts']
  const child = spawn(process.execPath, [...main, ...options], { cwd: root })
  let [out, err] = ['', '']
  let interrupted = false
  child.stderr.on('data', (chunk) => {
    err += chunk
  })
  child.stdout.on('data', (chunk) => {
    out += chunk
    // Once: a second Ctrl-C ends it at once.
    if (interrupted || !at?.test(out)) return
    interrupted = true
    interrupt(child)
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, out, err }))
  })
}

describe('npm start', () => {
  test('trains, and reports accuracy, confusions and the most confident mistakes', async () => {
    const { status, out, err } = await digits(['--epochs', '2', '--hidden', '32', '--seed', '5'])
    expect(err).toBe('')
    expect(status).toBe(0)
    expect(out).toContain('784-32-10, adam with rate 0.003, batches of 32, seed 5')
    expect(out).toMatch(
      /^epoch 2\/2 {2}loss 0\.\d{4} accuracy 0\.\d{3} \| validation loss 0\.\d{4} accuracy 0\.\d{3}$/m,
    )
    expect(out).toMatch(/^completed after 2 epochs in [\d.]+ s$/m)
    const accuracy = Number(out.match(/^test accuracy ([\d.]+) %$/m)?.[1])
    expect(accuracy).toBeGreaterThan(88)
    const rows = out.split('\n').filter((line) => /^ +\d(?: +(?:\d+|·)){10}$/.test(line))
    const counts = rows.map((row) =>
      row
        .trim()
        .split(/ +/)
        .slice(1)
        .map((cell) => (cell === '·' ? 0 : Number(cell))),
    )
    expect(counts.flat().reduce((sum, count) => sum + count)).toBe(1000)
    expect(counts.reduce((sum, row, digit) => sum + row[digit]!, 0) / 10).toBeCloseTo(accuracy, 5)
    expect(out.match(/a \d, read as \d \([\d.]+ %\)/g)).toHaveLength(3)
    expect(out).toMatch(/[░▒▓█]{3}/)
    expect(out).not.toContain('\u001b')
  })

  test('gives the same numbers for the same seed', async () => {
    const [one, two] = await Promise.all(
      [0, 1].map(() => digits(['-e', '1', '--hidden', '8', '-o', 'sgd', '-s', '3'])),
    )
    const numbers = ({ out }: Ended): string[] => out.split('\n').filter((line) => !line.includes(' s'))
    expect(numbers(one!)).toEqual(numbers(two!))
  })

  test('stops at Ctrl-C before the next step, says what was reached, and exits with 130', async () => {
    const { status, out, err } = await digits(
      ['--epochs', '200', '--learning-rate', '0.0001'],
      /epoch +1\/200 /,
    )
    expect(err).toBe('')
    expect(status).toBe(130)
    expect(out).toMatch(
      /interrupted after \d+ epochs? in [\d.]+ s\nbest weights: epoch \d+, validation loss \d\.\d{4}, accuracy \d\d\.\d %\n$/,
    )
  })

  test('ends quietly when nobody reads on, as behind `| head -1`', async () => {
    const { status, err } = await digits(['--epochs', '200'], /^digits/, (child) => child.stdout.destroy())
    expect(err).toBe('')
    expect(status).toBe(0)
  })

  test('lists its options', async () => {
    const { status, out } = await digits(['--help'])
    expect(status).toBe(0)
    for (const option of [
      '--epochs',
      '--batch-size',
      '--learning-rate',
      '--optimizer',
      '--seed',
      '--hidden',
    ]) {
      expect(out).toContain(option)
    }
  })

  test.each([
    [['--epoch', '3'], "error: unknown option '--epoch' (Did you mean --epochs?)"],
    [
      ['--epochs', 'many'],
      "error: option '-e, --epochs <count>' argument 'many' is invalid. It must be an integer from 1 on.",
    ],
    [
      ['--learning-rate', '0'],
      "error: option '-r, --learning-rate <rate>' argument '0' is invalid. It must be a number above 0.",
    ],
    [
      ['--optimizer', 'lion'],
      "error: option '-o, --optimizer <name>' argument 'lion' is invalid. Allowed choices are adam, sgd.",
    ],
    [
      ['--hidden', '12,,3'],
      "error: option '--hidden <sizes>' argument '12,,3' is invalid. It must be an integer from 1 on.",
    ],
    [['extra'], 'error: too many arguments. Expected 0 arguments but got 1.'],
  ])('refuses %j in one line, with status 2', async (options, words) => {
    expect(await digits(options)).toEqual({ status: 2, out: '', err: `${words}\n` })
  })
})
