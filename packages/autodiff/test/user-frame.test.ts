import { describe, expect, it } from 'vitest'
import { userFrame } from '../src/debug/user-frame.ts'

/** What a stack is written with, by engine. */
const v8 = (...frames: string[]): string =>
  ['Error: called', ...frames.map((place, i) => `    at ${i % 2 === 0 ? `apply (${place})` : place}`)].join(
    '\n',
  )
const others = (...frames: string[]): string =>
  frames.map((place, i) => (i % 3 === 2 ? place : `${['apply', ''][i % 3]}@${place}`)).join('\n')

const sources = [
  'file:///home/me/tapeflow/packages/autodiff/src/debug/watching.ts:50:16',
  'file:///home/me/tapeflow/packages/autodiff/src/apply.ts:109:5',
  'file:///home/me/tapeflow/packages/nn/src/combine/sequential.ts:70:3',
  'file:///home/me/tapeflow/packages/train/src/step.ts:7:3',
  'file:///home/me/tapeflow/property-tests/src/law.ts:9:9',
]
const installed = [
  'file:///app/node_modules/@tapeflow/autodiff/dist/index.js:4000:16',
  'file:///app/node_modules/@tapeflow/nn/dist/index.js:10:3',
  'file:///app/node_modules/.pnpm/@tapeflow+train@0.1.0_rxjs@7/node_modules/@tapeflow/train/dist/index.js:10:3',
]
const paths = sources.map((place) => place.replace('file://', ''))
const windows = [
  'C:\\code\\tapeflow\\packages\\autodiff\\src\\debug\\watching.ts:50:16',
  'C:\\code\\tapeflow\\packages\\nn\\dist\\index.js:1:1',
]
const served = sources.map((place) =>
  place.replace('file:///home/me/tapeflow', 'http://localhost:5173').replace(/ts:/, 'ts?t=1700000:'),
)
const outsideOfRoot = sources.map((place) => place.replace('file://', 'http://localhost:5173/@fs'))
const prebundled = [
  'http://localhost:5173/node_modules/.vite/deps/chunk-ABCD.js?v=12ab:400:1',
  'http://localhost:5173/node_modules/.vite/deps/@tapeflow_nn.js?v=12ab:40:1',
]
const delivered = ['https://cdn.example/npm/@tapeflow/autodiff@0.1.0/+esm:1:5000']

const libraries = { sources, installed, paths, windows, served, outsideOfRoot, prebundled, delivered }

/** Code of users, and how its place is told. */
const users = [
  ['file:///home/me/tapeflow/packages/autodiff/test/debug.test.ts:12:3'],
  ['file:///home/me/tapeflow/examples/digits/train.ts:12:3'],
  ['/home/me/my app/train.ts:12:3'],
  ['C:\\Users\\me\\train.ts:12:3'],
  ['http://localhost:5173/src/train.ts?t=99:12:3', 'http://localhost:5173/src/train.ts:12:3'],
  ['https://example.org/packages/data/src/train.js:12:3'],
] as const

describe('the place in code of a user', () => {
  for (const [name, frames] of Object.entries(libraries)) {
    it(`is found past ${name}`, () => {
      for (const [user, told = user] of users) {
        const stack = [...frames, 'node:internal/process/task_queues:95:5', user, 'file:///main.ts:1:1']
        expect(userFrame(v8(...stack))).toBe(told)
        if (user.includes('\\') || frames === windows) continue
        expect(userFrame(others(...frames, user, 'file:///main.ts:1:1'))).toBe(told)
      }
      expect(userFrame(v8(...frames))).toBe(null)
    })
  }

  it('is in what a user wrote, rather than in what is installed, where there is both', () => {
    const rxjs = 'file:///app/node_modules/rxjs/dist/esm/map.js:1:1'
    expect(userFrame(v8(...installed, rxjs, 'file:///app/train.ts:2:3'))).toBe('file:///app/train.ts:2:3')
    expect(userFrame(v8(...installed, rxjs))).toBe(rxjs)
  })

  it('is passed by what has no file', () => {
    const stack = [
      'Error: called',
      `    at ${installed[0]}`,
      '    at Array.map (<anonymous>)',
      '    at new Promise (<anonymous>)',
      '    at eval (eval at run (file:///app/repl.js:1:1), <anonymous>:3:4)',
      '    at wasm://wasm/0123abcd:wasm-function[7]:0x4d2',
      '    at Object.body [as run] (file:///app/train.ts:5:6)',
    ].join('\n')
    expect(userFrame(stack)).toBe('file:///app/train.ts:5:6')
    expect(userFrame(`    at async ${installed[0]}\n    at async file:///app/a.ts:1:2`)).toBe(
      'file:///app/a.ts:1:2',
    )
  })

  it('is unknown where all is one file, or nothing is known', () => {
    const bundle = (line: number): string => `https://example.org/app.js:1:${line}`
    expect(userFrame(v8(bundle(1), bundle(2), bundle(3)))).toBe(null)
    expect(userFrame(v8('https://example.org/vendor.js:1:1', bundle(2)))).toBe(bundle(2))
    expect(userFrame('Error: called')).toBe(null)
    expect(userFrame(undefined)).toBe(null)
  })
})
