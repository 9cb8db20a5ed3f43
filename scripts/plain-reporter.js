// Counts Node and browser tests apart and closes with `N passed, N failed, N skipped`, a line any CI can read.
// With TAPEFLOW_COUNTS=file the counts go to that file instead: scripts/test.js prints them, even when vitest dies.
import { writeFileSync } from 'node:fs'

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/** @param {Counts} counts */
export const say = (counts) => `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`

/** @implements {import('vitest/reporters').Reporter} */
export default class PlainReporter {
  onTestRunEnd(modules, errors, reason) {
    /** @type {Record<'node' | 'chromium', Counts>} */
    const counts = {
      node: { passed: 0, failed: 0, skipped: 0 },
      chromium: { passed: 0, failed: 0, skipped: 0 },
    }
    for (const module of modules) {
      const side = counts[module.project.name.startsWith('chromium') ? 'chromium' : 'node']
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        // A test still pending when the run ends never finished: that is a failure, not nothing.
        side[state === 'pending' ? 'failed' : state]++
      }
      for (const suite of module.children.allSuites()) side.failed += suite.errors().length
      side.failed += module.errors().length
    }
    const result = { ...counts, unhandled: errors.length, reason }
    const file = process.env.TAPEFLOW_COUNTS
    if (file) writeFileSync(file, JSON.stringify(result))
    else process.on('exit', () => console.log(closing(result).join('\n')))
  }
}

/**
 * The closing lines of a run.
 * @param {{ node: Counts, chromium: Counts, unhandled: number }} result
 * @returns {string[]}
 */
export function closing({ node, chromium, unhandled }) {
  const total = {
    passed: node.passed + chromium.passed,
    failed: node.failed + chromium.failed + unhandled,
    skipped: node.skipped + chromium.skipped,
  }
  return [
    `node: ${say(node)}`,
    `chromium: ${say(chromium)}`,
    ...(unhandled ? [`outside of tests: ${unhandled} errors`] : []),
    say(total),
  ]
}
