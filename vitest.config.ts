// Every test runs on sources: nothing is built first, the generated WebAssembly is committed.
//
// Projects: one per package (Node), `chromium` (the same files in a cross-origin isolated page, so that
// SharedArrayBuffer exists) and `chromium-unshared` (a page without isolation: plain memory).
//
//   *.test.ts            Node and Chromium
//   *.node.test.ts       Node only: may import node: modules
//   *.page.test.ts       only in Chromium
//   *.unshared.test.ts   only in Chromium without isolation
//   *memory.test.ts      in Chromium in a page of its own, as all of train: `chromium-alone`
//
// `npm run test:long` sets LONG=1, which tests read as `import.meta.env.LONG === '1'`, in Node and in Chromium alike. SEED=n
// draws the samples of the long run that printed this seed.
import { join } from 'node:path'
import { playwright } from '@vitest/browser-playwright'
import { defaultClientConditions, defaultServerConditions } from 'vite'
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'
import { chromiumArgs, findChromium } from './scripts/chromium.js'

const source = '@tapeflow/source'
const long = process.env.LONG === '1'
const testTimeout = long ? 600_000 : 60_000
const at = (...parts: string[]): string => join(import.meta.dirname, ...parts)

const node = (name: string, root: string, include: string): TestProjectInlineConfiguration => ({
  extends: true,
  test: {
    name,
    root,
    include: [include],
    exclude: ['**/*.page.test.ts', '**/*.unshared.test.ts', '**/node_modules/**', '**/dist/**'],
    environment: 'node',
    // Files share modules, which each would load anew for longer than it runs.
    isolate: ['autodiff', 'train'].includes(name),
  },
})

const executablePath = findChromium()
const chromium = (
  name: string,
  headers: Record<string, string>,
  include: string[],
  exclude: string[],
  isolate = false,
): TestProjectInlineConfiguration => ({
  extends: true,
  server: { headers },
  test: {
    name,
    root: at(),
    include,
    exclude: [...exclude, '**/node_modules/**', '**/dist/**'],
    // As in Node.
    isolate,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      // A cold start on a loaded machine has been seen to take more than the default minute.
      connectTimeout: 240_000,
      provider: playwright({
        launchOptions: {
          ...(executablePath ? { executablePath } : {}),
          args: chromiumArgs,
          timeout: 120_000,
        },
      }),
      instances: [{ browser: 'chromium' }],
    },
  },
})

const isolated = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
}

// Files that would see it when what others left is collected: those that measure memory while others have their turn.
const alone = ['packages/train/test/**/*.test.ts', 'packages/*/test/**/*memory.test.ts']

export default defineConfig({
  resolve: { conditions: [source, ...defaultClientConditions] },
  ssr: { resolve: { conditions: [source, ...defaultServerConditions] } },
  optimizeDeps: {
    include: [
      'rxjs',
      'rxjs/testing',
      'immer',
      'fflate',
      'devalue',
      'crc-32',
      'fast-check',
      '@fast-check/vitest',
    ],
  },
  test: {
    reporters: ['default', './scripts/plain-reporter.js'],
    env: { LONG: long ? '1' : '', SEED: process.env.SEED ?? '' },
    testTimeout,
    // Vitest would take one of two cores, and leave the other to the browser, which is done at half-time.
    maxWorkers: 2,
    projects: [
      ...['autodiff', 'nn', 'optim', 'data', 'train'].map((name) =>
        node(name, at('packages', name), 'test/**/*.test.ts'),
      ),
      node('property-tests', at('property-tests'), 'test/**/*.test.ts'),
      node('examples', at('examples'), '**/*.test.ts'),
      chromium(
        'chromium',
        isolated,
        ['packages/*/test/**/*.test.ts', 'property-tests/test/**/*.test.ts'],
        ['**/*.node.test.ts', '**/*.unshared.test.ts', ...alone],
      ),
      chromium('chromium-alone', isolated, alone, ['**/*.node.test.ts'], true),
      chromium('chromium-unshared', {}, ['packages/*/test/**/*.unshared.test.ts'], []),
    ],
    coverage: { provider: 'v8', include: ['packages/*/src/**/*.ts'], reporter: ['text-summary', 'html'] },
  },
})
