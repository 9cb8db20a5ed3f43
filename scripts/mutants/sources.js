// Which files the faults are drawn from: found, not listed, so that a new operation, kernel or transform is among them.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { filesBelow, root } from '../workspaces.js'

const source = 'packages/autodiff/src'
/** Keeps compiled loops: computes nothing. */
const cache = `${source}/kernels/loops.ts`

/**
 * Files beside the operations that are no operation's mathematics: the engine, what checks gradients, what speaks to people, what makes tensors of nothing
 * or of a key (held against published numbers and distributions by tests of their own), and other numeric modes.
 */
const engine = new Set(
  [
    'apply check-grad difference-quotient evaluate-reference fail foreign index info key memory options scopes snapshot tape tensor testing',
    'traced-key tree convolution-samples pooling-samples creation random random-bits threefry numerics relaxed',
  ].flatMap((names) => names.split(' ')),
)

/**
 * The parts of the source, each with its files.
 * @returns {Record<'operations' | 'kernels' | 'transforms' | 'shared', string[]>}
 */
export function sources() {
  const isCode = (path) => path.endsWith('.ts') && !path.includes('/generated/') && path !== cache
  const isBeside = (path) => !path.slice(source.length + 1).includes('/')
  const name = (path) => path.slice(path.lastIndexOf('/') + 1, -'.ts'.length)
  return {
    operations: filesBelow(`${source}/ops`, isCode),
    kernels: [
      ...filesBelow(`${source}/kernels`, isCode),
      ...filesBelow('packages/autodiff/assembly', isCode),
    ],
    transforms: filesBelow(`${source}/transforms`, isCode),
    shared: filesBelow(source, (path) => isCode(path) && isBeside(path) && !engine.has(name(path))),
  }
}

/** @param {string} path */
export const textOf = (path) => readFileSync(join(root, path), 'utf8')
