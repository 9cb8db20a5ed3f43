// The lessons of a deep-learning course, each a small program: what it claims is measured, and drawn.
//
//   npm run course                        all of them
//   npm run course -- dropout depth       those named
//   npm run course -- optimizers          those of a folder
//   npm run course -- --out docs/course   writes the pictures there, and a page
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { scope } from '@tapeflow/autodiff'
import { Command } from 'commander'
import type { Lesson } from './lesson.ts'
import { lessons } from './lessons.ts'

const known = Object.keys(lessons)
const program = new Command('course')
  .argument('[lessons...]', `any of ${known.join(', ')}, or a folder of them; all by default`)
  .option('--out <folder>', 'writes a picture of each there, as SVG, and a page with all that were run')
  .parse()
const { out } = program.opts<{ out?: string }>()
const named = (given: string): string[] =>
  known.filter((name) => name === given || name.startsWith(`${given}/`))
const names = program.args.length === 0 ? known : program.args.flatMap(named)
const unknown = program.args.filter((given) => named(given).length === 0)
if (unknown.length > 0) {
  program.error(`error: no lesson is named ${unknown.join(' or ')}; there are ${known.join(', ')}`)
}

const write = (name: string, text: string): void => {
  if (out === undefined) return
  const path = join(out, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.part`, text)
  renameSync(`${path}.part`, path)
}

const sections: string[] = []
for (const name of names) {
  let lesson: Lesson | undefined
  scope(() => {
    lesson = lessons[name]!()
  })
  const { title, claims, svg } = lesson!
  console.log(title)
  for (const { says, holds } of claims) console.log(`  ${holds ? 'yes' : 'NO '}  ${says}`)
  if (claims.some(({ holds }) => !holds)) process.exitCode = 1
  write(`${name}.svg`, svg)
  const sentences = claims.map(({ says }) => `- ${says}`).join('\n')
  sections.push(
    `## ${title}\n\n${sentences}\n\n![${title}](${name}.svg)\n\n[The program](../../examples/course/${name}.ts)\n`,
  )
}
write(
  'README.md',
  `# The course\n\nWhat a deep-learning course claims, measured: \`npm run course -- --out docs/course\` writes this page.\n\n${sections.join('\n')}`,
)
