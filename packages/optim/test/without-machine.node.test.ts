import { build } from 'esbuild'
import { expect, test } from 'vitest'

async function bundled(code: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['@tapeflow/source'],
  })
  return outputFiles[0]!.text
}

const immer = 'immer-draftable'

test.each([
  "import { adam } from '@tapeflow/optim'; console.log(adam())",
  "import { chain, clipByGlobalNorm, descend } from '@tapeflow/optim'; console.log(chain(clipByGlobalNorm(1), descend({ learningRate: 1 })))",
  "import { cosineDecay } from '@tapeflow/optim'; console.log(cosineDecay({ from: 1, steps: 9 }))",
])('what comes without a machine comes without immer: %s', async (code) => {
  expect(await bundled(code)).not.toContain(immer)
})

test('immer can be told in a bundle with a machine', async () => {
  expect(await bundled("import { machine } from '@tapeflow/optim'; console.log(machine())")).toContain(immer)
})
