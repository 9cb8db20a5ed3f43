import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as t from '@tapeflow/autodiff'
import { describe, expect, test } from 'vitest'
import * as nn from '../src/index.ts'

const source = join(import.meta.dirname, '../src')
const examples = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .sort()
  .flatMap((file) =>
    examplesOf(readFileSync(join(source, file), 'utf8')).map((code, i) => ({ file, i, code })),
  )

/** The code of each example: what follows `@example` up to an empty line, another tag or the end of the comment. */
function examplesOf(text: string): string[] {
  return [...text.matchAll(/@example\n((?: \* .*\n)+)/g)].map(([, block]) =>
    block!
      .split('\n')
      .map((line) => line.replace(/^ \* ?/, ''))
      .join('\n')
      .replace(/^@[\s\S]*/m, ''),
  )
}

/** `value // => expected` becomes an assertion. */
function executable(code: string): string {
  return code.replaceAll(/^(.*?) \/\/ => (.*)$/gm, 'expect($1).toEqual($2)')
}

describe('the examples in doc comments', () => {
  test('are there: one for each public function', () => {
    const functions = Object.values(nn).length
    expect(examples.length).toBeGreaterThanOrEqual(functions)
  })

  for (const { file, i, code } of examples) {
    test(`${file} ${i}`, () => {
      expect.hasAssertions()
      new Function('t', 'expect', ...Object.keys(nn), executable(code))(t, expect, ...Object.values(nn))
    })
  }
})
