// The lessons of a deep-learning course, each a small program: what it claims is measured, and drawn.
//
//   npm run course                        all of them
//   npm run course -- dropout depth       those named
//   npm run course -- --out docs/course   writes the pictures there
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { scope } from '@tapeflow/autodiff'
import { Command } from 'commander'
import type { Lesson } from './lesson.ts'
import { lessons } from './lessons.ts'

const program = new Command('course')
  .argument('[lessons...]', `any of ${Object.keys(lessons).join(', ')}; all by default`)
  .option('--out <folder>', 'writes a picture of each there, as SVG')
  .parse()
const { out } = program.opts<{ out?: string }>()
const names = program.args.length === 0 ? Object.keys(lessons) : program.args
const unknown = names.filter((name) => !Object.hasOwn(lessons, name))
if (unknown.length > 0) {
  program.error(
    `error: no lesson is named ${unknown.join(' or ')}; there are ${Object.keys(lessons).join(', ')}`,
  )
}

for (const name of names) {
  let lesson: Lesson | undefined
  scope(() => {
    lesson = lessons[name]!()
  })
  const { title, claims, svg } = lesson!
  console.log(title)
  for (const { says, holds } of claims) console.log(`  ${holds ? 'yes' : 'NO '}  ${says}`)
  if (claims.some(({ holds }) => !holds)) process.exitCode = 1
  if (out !== undefined) {
    mkdirSync(out, { recursive: true })
    const path = join(out, `${name}.svg`)
    writeFileSync(`${path}.part`, svg)
    renameSync(`${path}.part`, path)
  }
}
