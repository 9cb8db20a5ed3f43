// Writes docs/operations.md: a row for each operation, from its record. `--check` writes nothing and exits 1 where the page is stale.
//
//   node --conditions=@tapeflow/source --import tsx scripts/operations-page.ts
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type OperationInfo, operations } from '@tapeflow/autodiff/testing'

const page = join(import.meta.dirname, '../docs/operations.md')

function row({ operation, ulps, scale, domains }: OperationInfo): string {
  const { name, doc, vjp, pull, expression } = operation
  const isDifferentiable =
    pull !== undefined || typeof vjp === 'function' || vjp.some((rule) => rule !== null)
  const kinks = [...new Set(domains.flatMap((domain) => domain.kinks ?? []))]
  const error = ulps === 0 ? 'exact' : `${ulps}${scale === undefined ? '' : ' of the terms'}`
  const cells = [
    `\`${name}\``,
    doc.replaceAll('|', '\\|'),
    isDifferentiable ? (kinks.length === 0 ? 'yes' : `but at ${kinks.join(', ')}`) : 'no',
    expression === undefined ? '' : 'yes',
    error,
  ]
  return `| ${cells.join(' | ')} |`
}

const rows = [...operations].sort((a, b) => (a.operation.name < b.operation.name ? -1 : 1)).map(row)
const text = `# Operations

The ${rows.length} operations that everything else is made of, from their records (\`npm run generate\` renews this page). Each is one file of
\`packages/autodiff/src/ops\`, with its formula, shapes, errors and an executed example, and is tested by every law of the matrix
(\`property-tests/test/columns.ts\`), eagerly and compiled, in Node and in Chromium. Functions such as \`einsum\`, \`dot\` or \`stack\` are composed of
them, and have no row of their own.

*Gradient*: whether it has one, and where it is a subgradient, which its doc comment states. *Elementwise*: whether \`compile\` makes one loop of it
and its neighbours. *Error*: how far the kernel may be from the float64 reference, in units in the last place of the result; of sums, of the
magnitudes that are added up.

| operation | what comes out | gradient | elementwise | error |
| --- | --- | --- | --- | --- |
${rows.join('\n')}
`

if (!process.argv.includes('--check')) {
  writeFileSync(page, text)
  console.log(`docs/operations.md: ${rows.length} operations`)
} else if (readFileSync(page, 'utf8') !== text) {
  console.error('docs/operations.md is not current; run `npm run generate`')
  process.exitCode = 1
}
