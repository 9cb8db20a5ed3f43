import { memory, scope } from '@tapeflow/autodiff'
import { describe, expect, test } from 'vitest'
import type { Lesson } from './lesson.ts'
import { lessons } from './lessons.ts'

describe('what the course claims is so:', () => {
  test.each(Object.entries(lessons))('%s', (_, run) => {
    const before = memory().bytes
    let found: Lesson | undefined
    scope(() => {
      found = run()
    })
    expect(found!.claims.filter(({ holds }) => !holds)).toEqual([])
    expect(found!.claims.length).toBeGreaterThan(1)
    expect(found!.svg.slice(0, 5)).toBe('<svg ')
    expect(found!.svg).toContain('xmlns="http://www.w3.org/2000/svg"')
    expect(found!.svg.slice(-7)).toBe('</svg>\n')
    expect(found!.svg).not.toContain('NaN')
    expect(memory().bytes).toBe(before)
  })
})
