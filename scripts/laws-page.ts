// Writes docs/laws.md: which laws hold for which operation. `--check` writes nothing and exits 1 where the page is stale.
//
//   node --conditions=@tapeflow/source --import tsx scripts/laws-page.ts
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lawPage } from '../property-tests/test/law-table.ts'

const page = join(import.meta.dirname, '../docs/laws.md')
const text = lawPage()

if (!process.argv.includes('--check')) {
  writeFileSync(page, text)
  console.log('docs/laws.md: written')
} else if (!existsSync(page) || readFileSync(page, 'utf8') !== text) {
  console.error('docs/laws.md is not current; run `npm run generate`')
  process.exitCode = 1
}
