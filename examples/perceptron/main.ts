// One perceptron and four losses, on iris flowers: `npm run try examples/perceptron/main.ts folder` writes pictures into the folder.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { linearRegression } from './linear-regression.ts'
import { linearSvm } from './linear-svm.ts'
import { logisticRegression } from './logistic-regression.ts'
import { softmaxRegression } from './softmax-regression.ts'

const folder = process.argv[2]
const morphs = {
  'linear-svm': linearSvm,
  'logistic-regression': logisticRegression,
  'softmax-regression': softmaxRegression,
  'linear-regression': linearRegression,
}
if (folder !== undefined) mkdirSync(folder, { recursive: true })
for (const [name, morph] of Object.entries(morphs)) {
  const { title, says, svg } = morph()
  console.log([title, ...says.map((line) => `  ${line}`)].join('\n'))
  if (folder === undefined) continue
  const path = join(folder, `${name}.svg`)
  writeFileSync(path, svg)
  console.log(`  ${path}`)
}
