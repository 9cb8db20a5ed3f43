// House rules about files: no source over 350 lines, no file named after nothing (utils, helpers), no @ts-expect-error, and no
// test that is skipped, left to do or run alone.
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { filesBelow, workspaces } from './workspaces.js'

const longest = 350
const problems = []
const isCode = (path) => /\.(ts|tsx|js|mjs|cjs)$/.test(path) && !path.includes('/generated/')
const files = [...workspaces().map(({ path }) => path), 'scripts'].flatMap((path) => filesBelow(path, isCode))

for (const path of files) {
  const text = readFileSync(path, 'utf8')
  const lines = text.split('\n').length - 1
  if (/^(utils?|helpers?|misc|common)\.[a-z]+$/.test(basename(path))) {
    problems.push(`${path}: a file is named after the thing that it holds`)
  }
  if (/\.test\.[a-z]+$/.test(path)) {
    for (const [index, line] of text.split('\n').entries()) {
      const found = /\b(?:test|it|describe|suite|bench)\.(?:\w+\.)*(skip|skipIf|todo|only|fails)\b/.exec(line)
      if (found) problems.push(`${path}:${index + 1}: ${found[0]}; a test runs, or is deleted`)
    }
  } else if (/(^|\/)(src|assembly)\//.test(path) && lines > longest) {
    problems.push(`${path}: ${lines} lines, more than ${longest}; split it where it has two subjects`)
  }
  if (/@ts-(ignore|nocheck)/.test(text) && !path.includes('/assembly/') && !path.startsWith('scripts/')) {
    problems.push(`${path}: @ts-ignore hides a problem; use @ts-expect-error in a test of a type error`)
  }
}
for (const problem of problems) console.error(problem)
console.log(`${files.length} files, ${problems.length} problems`)
process.exit(problems.length ? 1 : 0)
