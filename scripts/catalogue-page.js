// Writes docs/layers.md and docs/optimizers.md, and the catalogues of docs/callbacks.md and docs/diagnostics.md below what was written
// by hand: a row for each layer, loss, optimizer, schedule, callback and the like that a package exports, from the first sentence of its
// doc comment, what it takes or returns, and the paper. `--check` writes nothing and exits 1 where a page is stale.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { typedExports } from './typed-exports.js'
import { filesBelow, root } from './workspaces.js'

/** Names that the package's entries export as values. */
function exported(source) {
  const entries = readdirSync(source).filter((name) => name.endsWith('.ts'))
  const lists = entries.map((name) => readFileSync(join(source, name), 'utf8')).join('\n')
  const names = [...lists.matchAll(/export \{([^}]*)\}/g)].flatMap(([, list]) => list.split(','))
  return new Set(names.map((name) => name.trim()).filter((name) => name !== '' && !name.startsWith('type ')))
}

/** The doc comments of a file's exported functions and constants, by name; of overloads the first. */
function documented(path) {
  const text = readFileSync(path, 'utf8')
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext)
  const found = new Map()
  for (const statement of file.statements) {
    const names = ts.isVariableStatement(statement)
      ? statement.declarationList.declarations.map(({ name }) => name.text)
      : ts.isFunctionDeclaration(statement) && statement.name
        ? [statement.name.text]
        : []
    const comment = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*$/.exec(
      text.slice(statement.getFullStart(), statement.getStart(file)),
    )
    if (comment === null) continue
    const lines = comment[1].split('\n').map((line) => line.replace(/^\s*\*? ?/, ''))
    for (const name of names) if (!found.has(name)) found.set(name, lines.join('\n').trim())
  }
  return found
}

const oneLine = (text) => text.replace(/\s+/g, ' ').trim().replaceAll('|', '\\|')

/** The first sentence: what comes out. */
function saysFirst(doc) {
  const [paragraph] = doc.split(/\n\s*\n|\n@/)
  const text = oneLine(paragraph)
  // A colon behind a name ("RAdam: Adam with …") ends nothing.
  return /^(.*?(?:\.|(?<=.{12}):))(?= [A-Z`]|$)/.exec(text)?.[1].replace(/:$/, '.') ?? text
}

const returned = (doc) => oneLine(/(?:^|\n)@returns ([\s\S]*?)(?=\n\s*\n|\n@|$)/.exec(doc)?.[1] ?? '')

/** Paragraphs without a tag behind the last example: they end with a year or a conference. */
function papers(doc) {
  const paragraphs = doc.split(/\n\s*\n/).filter((text) => !text.startsWith('@'))
  return oneLine(
    paragraphs
      .filter((text) => /\b(?:18|19|20)\d\d\b/.test(text) && /^[A-Z][\w’'-]+.*?[:,&(]/.test(text))
      .slice(-1)[0] ?? '',
  )
}

/** Exports in order, by the folders and files that they stand in: a section for each. */
function byPlace(directory, sections) {
  const source = join(root, directory)
  const wanted = exported(source)
  return sections.map(([place, title]) => {
    const at = join(source, place)
    const files = !existsSync(at)
      ? []
      : place.endsWith('.ts')
        ? [at]
        : readdirSync(at).map((name) => join(at, name))
    const rows = files
      .filter((path) => path.endsWith('.ts'))
      .sort()
      .flatMap((path) => [...documented(path)])
      .filter(([name]) => wanted.has(name))
      .map(([name, doc]) => [`\`${name}\``, saysFirst(doc), returned(doc), papers(doc)])
    return { title, heads: ['name', 'what it is', 'returns', 'source'], rows }
  })
}

/** All exports of an index, by what they return: a section for each type, the last for all others. */
function byType(directory, sections) {
  const types = typedExports(`${directory}/index.ts`)
  const docs = new Map(
    filesBelow(directory, (path) => path.endsWith('.ts')).flatMap((path) => [
      ...documented(join(root, path)),
    ]),
  )
  const names = [...types.keys()].sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1))
  const known = sections.map(({ type }) => type)
  return sections.map(({ type, title, remembers, before }) => {
    const rows = names
      .filter((name) =>
        type === null ? !known.includes(types.get(name).returns) : types.get(name).returns === type,
      )
      .map((name) => {
        const { takes, remembers: slots } = types.get(name)
        const doc = docs.get(name) ?? ''
        return [`\`${name}\``, saysFirst(doc), takes, ...(remembers ? [slots] : []), papers(doc)]
      })
    const heads = ['name', 'what it is', 'takes', ...(remembers ? ['remembers'] : []), 'source']
    return { title, before, heads, rows }
  })
}

/** Exports of several entries, by the files that they stand in, with what they take: a section for each list of files. */
function byFile(directory, entries, sections) {
  const types = new Map(entries.flatMap((entry) => [...typedExports(`${directory}/${entry}`)]))
  return sections.map(({ title, before, files, heads, cells }) => {
    const rows = filesBelow(directory, files)
      .sort()
      .flatMap((path) => [...documented(join(root, path))])
      .filter(([name]) => types.has(name))
      .map(([name, doc]) => [`\`${name}\``, ...cells(doc, types.get(name).takes)])
    return { title, before, heads, rows }
  })
}

/** What of the run a diagnostic asks `watch` for. */
const watches = (doc) => {
  const wanted = /`watch: \['(.*?)'\]`/.exec(doc)?.[1]
  return wanted === undefined ? '' : `\`${wanted}\``
}

/** What stands in a page above its catalogue: written by hand. */
function byHand(page, mark) {
  const text = readFileSync(join(root, page), 'utf8')
  const end = text.indexOf(mark)
  return `${text.slice(0, end < 0 ? text.length : end).trimEnd()}\n\n${mark}`
}

const catalogue = '<!-- Below: from the doc comments, by `npm run generate`. Written by hand: all above. -->'

const line = (cells) => `| ${cells.join(' | ')} |`
const table = ({ title, before, heads, rows }) =>
  `## ${title}\n\n${before === undefined ? '' : `${before}\n\n`}${[heads, heads.map(() => '---'), ...rows].map(line).join('\n')}\n`

const pages = [
  {
    page: 'docs/layers.md',
    sections: () =>
      byPlace('packages/nn/src', [
        ['layers', 'Layers'],
        ['combine', 'Combinators'],
        ['losses', 'Losses'],
        ['initializers', 'Initialisers'],
        ['regularizers', 'Regularisers'],
        ['constraints', 'Constraints'],
        ['metrics', 'Metrics'],
        ['inspect', 'Introspection'],
        ['perceptron.ts', 'Perceptrons'],
        ['files', 'Files: `@tapeflow/nn`, `@tapeflow/nn/model`, `@tapeflow/nn/npz`'],
        ['node', 'Files in Node: `@tapeflow/nn/node`'],
        ['browser', 'Files in browsers: `@tapeflow/nn/browser`'],
      ]),
    intro: `# Layers, losses, metrics

What \`@tapeflow/nn\` exports, from its doc comments (\`npm run generate\` renews this page); formulas, shapes, defaults and errors stand there,
with an example that is executed. Every layer is a row of the laws in \`property-tests/test/nn\`: shapes, definition in float64, first and
second derivatives, compiled as eager, rows, \`vmap\`, memory, keys, files.`,
  },
  {
    page: 'docs/optimizers.md',
    sections: () =>
      byType('packages/optim/src', [
        { type: 'Optimizer', title: 'Optimizers', remembers: true },
        {
          type: 'Transform',
          title: 'Links',
          remembers: true,
          before:
            'What `chain` takes before the optimizer at its end, mostly `descend`: each makes other updates of the updates (at first the\n' +
            'gradients) that it is given.',
        },
        {
          type: 'Schedule',
          title: 'Schedules',
          before:
            'A schedule is a function of the step, from 0 on, that gives a rate; it stands wherever an optimizer takes `learningRate`. Each is\n' +
            'compared with its formula, and with PyTorch where that has it.\n\n' +
            '![Each schedule over 100 steps](schedules.svg)',
        },
        {
          type: null,
          title: 'The machine',
          before:
            "A run's phase, the scale of its rate, and what is overridden: a few numbers that events move, with patches of what they changed.",
        },
      ]),
    intro: `# Optimizers and schedules

What \`@tapeflow/optim\` exports, from its doc comments (\`npm run generate\` renews this page); formulas, errors, and where Keras and PyTorch
differ stand there, with an example that is executed. Under "takes" a number behind a name is what it is by default. Every optimizer and
link is a row of the tests of \`packages/optim\`: 30 steps on four problems as its paper says in float64, and as PyTorch goes where that has it;
compiled as eager; derivatives through updates; memory; and N + M steps that are N, save, load, M, bit for bit.

\`\`\`ts
import * as t from '@tapeflow/autodiff'
import { adam, cosineDecay, join, machine, warmup } from '@tapeflow/optim'

const learningRate = join([warmup({ to: 0.1, steps: 100 }), cosineDecay({ from: 0.1, steps: 900 })], [100])
const optimizer = adam({ learningRate })
const control = machine({}, { hyperparameters: optimizer.hyperparameters })

let params = { w: t.tensor([1, -2]) }
let slots = optimizer.init(params)
const loss = t.valueAndGrad(({ w }: typeof params) => t.sum(t.square(w)))
for (let step = 0; step < 200; step++) {
  const { gradients } = loss(params)
  ;({ params, slots } = optimizer.update(gradients, slots, params, optimizer.hyper(step, control.state)))
}
loss(params).value.item() < 1e-3 // => true

// The rate is schedule times scale: a plateau halves it, whatever the schedule says.
control.send({ type: 'scaleRate', factor: 0.5 })
optimizer.hyper(100, control.state).learningRate // => 0.05
\`\`\``,
  },
  {
    page: 'docs/callbacks.md',
    sections: () =>
      byFile(
        'packages/train/src',
        ['index.ts', 'node.ts'],
        [
          {
            title: 'Catalogue: callbacks',
            before:
              'Under "takes" a number behind a name is what it is by default. `progressBar` is of `@tapeflow/train/node`; `monitor` is the name of a\n' +
              "measure: `'validation.loss'` (the default), `'epoch.loss'`, `'validation.accuracy'`.",
            files: (path) => path.includes('/callbacks/'),
            heads: ['name', 'what it is', 'takes'],
            cells: (doc, takes) => [saysFirst(doc), takes],
          },
          {
            title: 'Catalogue: loggers',
            before: 'Monitors, not callbacks: they stand in `monitors`. All are of `@tapeflow/train/node`.',
            files: (path) => /\/node\/(.*-logger|plot|tensor-board)\.ts$/.test(path),
            heads: ['name', 'what it is', 'takes'],
            cells: (doc, takes) => [saysFirst(doc), takes],
          },
        ],
      ),
    intro: byHand('docs/callbacks.md', catalogue),
  },
  {
    page: 'docs/diagnostics.md',
    sections: () =>
      byFile(
        'packages/train/src',
        ['index.ts'],
        [
          {
            title: 'Catalogue',
            before:
              'Under "takes" a number behind a name is what it is by default; formulas and reasons stand in the doc comments.',
            files: (path) => path.includes('/diagnostics/'),
            heads: ['name', 'what it is', 'watches', 'takes', 'source'],
            cells: (doc, takes) => [saysFirst(doc), watches(doc), takes, papers(doc)],
          },
        ],
      ),
    intro: byHand('docs/diagnostics.md', catalogue),
  },
]

for (const { page, sections, intro } of pages) {
  const filled = sections().filter(({ rows }) => rows.length > 0)
  const text = `${intro}\n\n${filled.map(table).join('\n')}`
  const path = join(root, page)
  if (!process.argv.includes('--check')) {
    writeFileSync(path, text)
    console.log(`${page}: ${filled.reduce((sum, { rows }) => sum + rows.length, 0)} rows`)
  } else if (!existsSync(path) || readFileSync(path, 'utf8') !== text) {
    console.error(`${page} is not current; run \`npm run generate\``)
    process.exitCode = 1
  }
}
