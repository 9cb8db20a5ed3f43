import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('the program tells what it found, and writes a picture of each into the folder', async () => {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const folder = await mkdtemp(join(tmpdir(), 'perceptron-'))
  try {
    const program = [
      '--conditions=@tapeflow/source',
      '--import',
      'tsx',
      'examples/perceptron/main.ts',
      folder,
    ]
    const { stdout, stderr } = await promisify(execFile)(process.execPath, program, { cwd: root })
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^ {2}descent separates setosa from versicolor with a margin of 0\.6\d+ cm$/m)
    expect(stdout).toMatch(/^ {2}6 of 100 flowers are on the wrong side of a half$/m)
    const names = ['linear-regression', 'linear-svm', 'logistic-regression', 'softmax-regression']
    expect((await readdir(folder)).sort()).toEqual(names.map((name) => `${name}.svg`))
    for (const name of names)
      expect(await readFile(join(folder, `${name}.svg`), 'utf8')).toMatch(/^<svg xmlns=.*<\/svg>\n$/s)
  } finally {
    await rm(folder, { recursive: true })
  }
})
