// Import arrows point down only; see docs/DESIGN.md, "The house".
const { existsSync, readdirSync, readFileSync } = require('node:fs')
const { join } = require('node:path')

/** What each package may import besides itself: workspaces, then packages of the registry. */
const below = {
  autodiff: [[], []],
  data: [['autodiff'], []],
  nn: [['autodiff'], ['fflate']],
  optim: [['autodiff'], ['immer']],
  train: [
    ['autodiff', 'data', 'nn', 'optim'],
    ['rxjs', 'immer', 'cli-progress', '@bufbuild/protobuf', 'crc-32', 'devalue'],
  ],
}

// A package is entered through its exports, never through a path into its sources.
const entries = [
  ...readdirSync(join(__dirname, 'packages')).map((name) => `packages/${name}`),
  'property-tests',
]
  .filter((path) => existsSync(join(__dirname, path, 'package.json')))
  .flatMap((path) =>
    Object.values(JSON.parse(readFileSync(join(__dirname, path, 'package.json'), 'utf8')).exports ?? {})
      .map((target) => target['@tapeflow/source'])
      .filter(Boolean)
      .map((source) => `${path}/${source.slice(2)}`.replaceAll('.', '\\.')),
  )

module.exports = {
  forbidden: [
    {
      name: 'no-cycle-of-values',
      comment: 'a cycle of imports of values; a type-only import does not count',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'nothing-unresolved',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    ...Object.entries(below).flatMap(([name, [workspaces, registry]]) => [
      {
        name: `${name}-imports-below-only`,
        severity: 'error',
        from: { path: `^packages/${name}/src` },
        to: {
          path: '^(packages|property-tests|examples|benchmarks)/',
          pathNot: `^packages/(${[name, ...workspaces].join('|')})/`,
        },
      },
      {
        name: `${name}-dependencies`,
        comment: 'rxjs lives in train and above, immer in optim and train, fast-check in property-tests',
        severity: 'error',
        from: { path: `^packages/${name}/src` },
        to: {
          path: 'node_modules/',
          ...(registry.length
            ? { pathNot: `node_modules/(${registry.map((n) => `(@types/)?${n}`).join('|')})/` }
            : {}),
        },
      },
    ]),
    {
      name: 'through-the-front-door',
      comment: 'another package is imported by its name and exports, not by a path into its sources',
      severity: 'error',
      from: { path: '^(packages/[^/]+|property-tests|examples|benchmarks)/' },
      to: {
        path: '^(packages/[^/]+|property-tests)/src/',
        pathNot: ['^$1/', ...entries.map((entry) => `^${entry}$`)],
      },
    },
    {
      name: 'no-src-to-test',
      severity: 'error',
      from: { path: '^(packages/[^/]+|property-tests)/src' },
      to: { path: '(^|/)(test|benchmarks)/' },
    },
    {
      name: 'node-is-a-subpath',
      comment: 'what needs Node is a subpath of its own: src/node.ts or src/node/',
      severity: 'error',
      from: { path: '^(packages/[^/]+|property-tests)/src', pathNot: '/src/(node\\.ts$|node/)' },
      to: { dependencyTypes: ['core'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // A fixture is written for another directory: its imports lead nowhere where it lies.
    exclude: { path: '^(packages/[^/]+|property-tests)/dist/|^property-tests/fixtures/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@tapeflow/source', 'import', 'types', 'default'],
    },
  },
}
