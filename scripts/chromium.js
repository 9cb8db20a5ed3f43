// Finds a Chromium-family browser; ensure-chromium.js is the installer.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

/** Flags that work as root, headless, offline. */
export const chromiumArgs = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Where ensure-chromium.js unpacks the browser that it fetched from the npm registry. */
export const fetchedChromium = fileURLToPath(
  new URL('../node_modules/.cache/tapeflow-chromium/', import.meta.url),
)

/** @returns {string | undefined} path of Playwright's own download, if it is there */
function playwrightChromium() {
  // executablePath() throws on a platform that Playwright has no browser for.
  try {
    return createRequire(import.meta.url)('playwright-core').chromium.executablePath()
  } catch {
    return undefined
  }
}

/** @returns {string[]} every browser there is, the preferred one first */
export function findChromiums() {
  return [
    process.env.CHROMIUM_PATH,
    process.env.CHROME_PATH,
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome-stable',
    '/usr/bin/google-chrome',
    '/snap/bin/chromium',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    'C:/Program Files/Google/Chrome/Application/chrome.exe',
    `${fetchedChromium}chromium`,
    playwrightChromium(),
  ].filter((path) => path !== undefined && existsSync(path))
}

/** @returns {string | undefined} */
export const findChromium = () => findChromiums()[0]
