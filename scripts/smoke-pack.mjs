// `npm run smoke`: what an installer gets. Packs every published package, installs the tarballs into an empty Node
// project and an empty Vite project outside of the workspace, type-checks against the declarations (libraries checked
// too), verifies gradients by laws in Node, trains for some steps, also in workers, in Node and in Chromium, which must agree bit for bit, and
// looks into bundles for what must not be there. Needs a build.
import { spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { build as esbuild } from 'esbuild'
import { chromium } from 'playwright-core'
import { chromiumArgs } from './chromium.js'
import { ensureChromium } from './ensure-chromium.js'
import { published, root } from './workspaces.js'

const directory = mkdtempSync(join(tmpdir(), 'tapeflow-smoke-'))
const manifestOf = (path) => JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8'))
const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
const versionOf = (name) => lock[`node_modules/${name}`].version
const problems = []

/** @returns {Promise<string>} what the command printed; throws with that when it fails */
const run = (command, args, cwd) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    let printed = ''
    child.stdout.on('data', (data) => {
      output += data
      printed += data
    })
    child.stderr.on('data', (data) => (output += data))
    child.on('error', reject)
    child.on('close', (code) =>
      code === 0 ? resolve(printed) : reject(new Error(`${command} ${args.join(' ')} in ${cwd}\n${output}`)),
    )
  })
const say = (line) => console.log(`smoke: ${line}`)

/** @returns {Promise<Record<string, string>>} name -> path of its tarball */
async function pack() {
  for (const { path, directory: from } of published()) {
    if (!existsSync(join(from, 'dist'))) throw new Error(`${path} is not built; run \`npm run build\``)
  }
  const out = join(directory, 'tarballs')
  mkdirSync(out)
  const workspaces = published().flatMap(({ path }) => ['--workspace', path])
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', out, ...workspaces]
  const packed = Object.values(JSON.parse(await run('npm', args, root)))
  for (const { name, files } of packed) {
    const stray = files
      .map(({ path }) => path)
      .filter((path) => /(^|\/)(test|node_modules|bench)\//.test(path))
    if (stray.length) problems.push(`${name} packs ${stray.join(' ')}`)
  }
  say(packed.map(({ name, size }) => `${name} ${(size / 1024).toFixed(0)} kB`).join(', '))
  return Object.fromEntries(packed.map(({ name, filename }) => [name, `file:${join(out, filename)}`]))
}

/** Makes a project of its own with the tarballs in it. */
async function project(name, tarballs, dependencies, compilerOptions, files) {
  const at = join(directory, name)
  cpSync(join(root, 'scripts/smoke'), join(at, 'src'), { recursive: true })
  for (const [path, text] of Object.entries(files)) writeFileSync(join(at, path), text)
  const manifest = { name, private: true, type: 'module', dependencies: { ...tarballs, ...dependencies } }
  writeFileSync(join(at, 'package.json'), JSON.stringify(manifest, null, 2))
  writeFileSync(
    join(at, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: { target: 'ES2022', strict: true, types: [], ...compilerOptions },
      include: ['src'],
    }),
  )
  const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts']
  await run('npm', install, at)
  for (const installed of Object.keys(tarballs)) {
    const copies = await run('npm', ['ls', installed, '--all', '--parseable'], at)
    if (copies.trim().split('\n').length !== 1) problems.push(`${name} has several ${installed}:\n${copies}`)
  }
  await run(process.execPath, [join(at, 'node_modules/typescript/bin/tsc'), '-p', '.'], at)
  say(`${name} installed and type-checked`)
  return at
}

/** Losses are finite and go down. @returns {string} the text, when they do */
function checkLosses(where, text) {
  const { eager, stream, worker } = JSON.parse(text)
  if (String(worker) !== String(stream)) problems.push(`${where}: a worker told other losses: ${text}`)
  for (const [name, losses] of Object.entries({ eager, stream, worker })) {
    const mean = (part) => part.reduce((sum, loss) => sum + loss, 0) / part.length
    const fell = mean(losses.slice(-4)) < mean(losses.slice(0, 4)) / 4
    if (losses.length !== 60 || !losses.every(Number.isFinite) || !fell) {
      problems.push(`${where}: ${name} did not train, got ${JSON.stringify(losses)}`)
    } else say(`${where}: ${name} trains, loss ${losses[0].toFixed(4)} -> ${losses.at(-1).toFixed(4)}`)
  }
  return text
}

async function inNode(tarballs) {
  const at = await project(
    'node-project',
    tarballs,
    {
      '@types/node': versionOf('@types/node'),
      rxjs: versionOf('rxjs'),
      'fast-check': versionOf('fast-check'),
      typescript: versionOf('@typescript/native'),
    },
    { module: 'NodeNext', lib: ['ES2023', 'DOM'], types: ['node'], rootDir: 'src', outDir: 'out' },
    {
      'src/main.ts': `import { fitInWorker } from '@tapeflow/train/node'
import { eager } from './eager.js'
import { gradients } from './gradients.js'
import { lossesOf, stream } from './stream.js'
gradients()
const worker = fitInWorker(new URL('./recipe.js', import.meta.url), { steps: 60 })
console.log(JSON.stringify({ eager: eager(), stream: await stream(), worker: await lossesOf(worker) }))
`,
    },
  )
  // Every door opens, not only those that the program goes through.
  const doors = Object.keys(tarballs).flatMap((name) =>
    Object.keys(manifestOf(`node_modules/${name}`).exports)
      .filter((subpath) => subpath !== './package.json')
      .map((subpath) => `${name}${subpath.slice(1)}`),
  )
  const imports = doors.map((door) => `await import('${door}')`).join('\n')
  await run(process.execPath, ['--input-type=module', '--eval', imports], at)
  say(`node: imports ${doors.length} entries`)
  return checkLosses('node', await run(process.execPath, ['out/main.js'], at))
}

/** What must not be in a bundle -> how to tell. A bundle that holds them all proves that these still tell. */
const base64 = /`\s*([A-Za-z0-9+/]{60})/.exec(
  readFileSync(join(root, 'packages/data/src/generated/digits.ts'), 'utf8'),
)?.[1]
const markers = {
  'fast-check': 'Property failed after',
  rxjs: 'errors occurred during unsubscription',
  'test information of operations': 'ulps',
  'relaxed kernels': 'this engine has no relaxed SIMD',
  fflate: 'invalid zip data',
  digits: base64 ?? problems.push('the digits module has no base64 text'),
  iris: '5.7,2.8,4.1,1.3,versicolor',
  penguins: 'Chinstrap,Dream,55.8,19.8,207,4000,male',
}
const bundles = {
  eager: { source: "import { eager } from './eager'\nconsole.log(eager())", without: Object.keys(markers) },
  stream: {
    source: "import { stream } from './stream'\nstream().then(console.log)",
    without: Object.keys(markers).filter((name) => name !== 'rxjs'),
  },
  everything: {
    source: `import { relaxed } from '@tapeflow/autodiff/relaxed'
import { operations } from '@tapeflow/autodiff/testing'
import { digits, iris, penguins } from '@tapeflow/data'
import { fromNpz } from '@tapeflow/nn/npz'
import fc from 'fast-check'
import { stream } from './stream'
console.log(relaxed, operations, digits(), iris(), penguins(), fromNpz, fc.assert, stream())`,
    without: [],
  },
}

async function inBrowser(tarballs) {
  const at = await project(
    'vite-project',
    tarballs,
    {
      rxjs: versionOf('rxjs'),
      'fast-check': versionOf('fast-check'),
      vite: versionOf('vite'),
      typescript: versionOf('@typescript/native'),
    },
    { module: 'ESNext', moduleResolution: 'Bundler', lib: ['ES2023', 'DOM'], noEmit: true },
    {
      'src/main.ts': `import { fitInWorker } from '@tapeflow/train'
import { eager } from './eager'
import { lossesOf, stream } from './stream'
const start = () => new Worker(new URL('./recipe.worker.ts', import.meta.url), { type: 'module' })
const worker = await lossesOf(fitInWorker(start, { steps: 60 }))
const losses = { eager: eager(), stream: await stream(), worker }
document.querySelector('pre')!.textContent = JSON.stringify(losses)
`,
      'index.html': `<!doctype html><meta charset="utf-8"><title>smoke</title><link rel="icon" href="data:,"><pre></pre>
<script type="module" src="/src/main.ts"></script>
`,
      'build.js': `import { build } from 'vite'
await build({ logLevel: 'warn', build: { target: 'es2022' } })
for (const [name, source] of Object.entries(${JSON.stringify(
        Object.fromEntries(Object.entries(bundles).map(([name, { source }]) => [name, source])),
      )})) {
  const { writeFileSync } = await import('node:fs')
  writeFileSync(\`src/bundle-\${name}.ts\`, source)
  await build({
    logLevel: 'warn',
    build: {
      target: 'es2022', outDir: \`bundles/\${name}\`, reportCompressedSize: false,
      rollupOptions: { input: \`src/bundle-\${name}.ts\` },
    },
  })
}
`,
    },
  )
  await run(process.execPath, ['build.js'], at)
  for (const [name, { without }] of Object.entries(bundles)) {
    const assets = join(at, 'bundles', name, 'assets')
    const workers = readdirSync(assets).filter((file) => file.includes('worker'))
    if (workers.length)
      problems.push(`bundle ${name} of vite holds ${workers.join(' ')}, which nobody starts`)
    const byVite = readdirSync(assets).map((file) => readFileSync(join(assets, file), 'utf8'))
    // A bundler that looks at one module at a time sees less.
    const { outputFiles } = await esbuild({
      absWorkingDir: at,
      entryPoints: [`src/bundle-${name}.ts`],
      bundle: true,
      minify: true,
      format: 'esm',
      write: false,
    })
    for (const [bundler, text] of Object.entries({ vite: byVite.join('\n'), esbuild: outputFiles[0].text })) {
      for (const [what, marker] of Object.entries(markers)) {
        const has = text.includes(marker)
        if (has && without.includes(what)) problems.push(`bundle ${name} of ${bundler} holds ${what}`)
        if (!has && name === 'everything')
          problems.push(`no marker of ${what} where it is imported: mend the check`)
      }
      const size = (text.length / 1024).toFixed(0)
      say(`bundle ${name} of ${bundler}: ${size} kB, without ${without.join(', ') || 'exception'}`)
    }
  }
  return checkLosses('chromium', await show(join(at, 'dist')))
}

/** Serves a built page. @returns {Promise<string>} what it shows in the end */
async function show(site) {
  const types = {
    '.html': 'text/html',
    '.js': 'text/javascript',
    '.css': 'text/css',
    '.wasm': 'application/wasm',
  }
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    const path = join(site, pathname === '/' ? 'index.html' : pathname)
    if (!existsSync(path)) return response.writeHead(404).end()
    response.writeHead(200, { 'content-type': types[extname(path)] ?? 'application/octet-stream' })
    response.end(readFileSync(path))
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const executablePath = await ensureChromium()
  if (!executablePath) throw new Error('no browser')
  const browser = await chromium.launch({ executablePath, args: chromiumArgs, timeout: 120_000 })
  try {
    const page = await browser.newPage()
    const errors = []
    page.on('pageerror', (error) => errors.push(error.stack ?? String(error)))
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
    await page.goto(`http://127.0.0.1:${server.address().port}/`)
    await page
      .waitForFunction('document.querySelector("pre").textContent !== ""', undefined, { timeout: 60_000 })
      .catch((error) => {
        throw new Error(`the page shows nothing: ${errors.join('\n')}`, { cause: error })
      })
    if (errors.length) problems.push(`the page reports ${errors.join('\n')}`)
    return await page.locator('pre').innerText()
  } finally {
    await browser.close()
    server.close()
  }
}

try {
  const tarballs = await pack()
  const node = await inNode(tarballs)
  const browser = await inBrowser(tarballs)
  if (node.trim() === browser.trim()) say('Node and Chromium agree bit for bit')
  else problems.push(`Node and Chromium differ:\n${node}\n${browser}`)
} catch (error) {
  problems.push(error instanceof Error ? error.message : String(error))
} finally {
  rmSync(directory, { recursive: true, force: true })
}
for (const problem of problems) console.error(`smoke: ${problem}`)
process.exit(problems.length ? 1 : 0)
