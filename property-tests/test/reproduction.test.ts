import * as t from '@tapeflow/autodiff'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { asCode } from '../src/as-code.ts'
import * as laws from '../src/index.ts'

const { tensors, keys, holds } = laws

/** The message of a broken law, cut into its words and its code. */
function failureOf<S>(law: laws.Law<S>): { words: string; code: string; counterexample: S } {
  const { failed, errorInstance, counterexample } = fc.check(law, { seed: 1 })
  expect(failed).toBe(true)
  const [words, ...code] = (errorInstance as Error).message.split('\n\n')
  return { words: words!, code: code.join('\n\n'), counterexample: counterexample![0] }
}

/** Runs printed code as it is, but for its imports, which become those of this file; `given` is what stands in scope. */
async function run(code: string, given: Readonly<Record<string, unknown>>): Promise<void> {
  const imported = [...code.matchAll(/^import \{ (.*) \} from '@tapeflow\/property-tests'$/gm)]
  const names = imported.map(([, name]) => `const { ${name} } = laws`)
  const body = code.replace(/^import .*$/gm, '')
  const source = `export default (t, laws, { ${Object.keys(given).join(', ')} }) => { ${names.join('\n')}\n${body}\n }`
  const module: { default: (...modules: readonly unknown[]) => void } = await import(
    /* @vite-ignore */ `data:text/javascript,${encodeURIComponent(source)}`
  )
  t.scope(() => module.default(t, laws, given))
}

const half = (x: t.Tensor): t.Tensor => t.mul(x, t.tensor(x.toFloat32Array(), x.shape))

describe('a broken law', () => {
  it('reports the shrunk inputs and the call as code', () => {
    const { words, code } = failureOf(laws.gradientIsCorrect(half, tensors()))
    expect(words).toMatch(/^gradientIsCorrect: the gradient at place 0 of input '' is [^\n]*$/)
    expect(code).toMatch(
      /^import \* as t from '@tapeflow\/autodiff'\nimport \{ assertGradientIsCorrect \} from '@tapeflow\/property-tests'\n\nassertGradientIsCorrect\(half, t\.tensor\(-?\d\S*\)\)$/,
    )
  })

  it('of any kind fails again with the same words where its code is pasted', async () => {
    let calls = 0
    const counted = (x: t.Tensor): t.Tensor => t.add(x, calls++)
    const scaled = (p: { x: t.Tensor; noise: t.Key; rate: number }): t.Tensor =>
      t.mul(half(t.add(p.x, t.uniform(p.noise, p.x.shape))), p.rate)
    const tree = fc.record({ x: tensors({ shape: [2, 2] }), noise: keys(), rate: fc.constant(2) })
    const vector = tensors({ shape: [3] })
    const tight = { ulps: 0 }
    const broken: readonly (readonly [{ words: string; code: string }, Readonly<Record<string, unknown>>])[] =
      [
        [failureOf(laws.gradientIsCorrect(half, vector)), { half }],
        [failureOf(laws.gradientIsCorrect(scaled, tree, { limit: 2, tolerance: 1e-4 })), { scaled }],
        [failureOf(laws.secondOrderIsCorrect(half, vector)), { half }],
        [failureOf(laws.adjointIsConsistent(half, vector)), { half }],
        [failureOf(laws.kernelMatchesReference(t.exp, tensors({ shape: [9] }), tight)), {}],
      ]
    for (const [{ words, code }, given] of broken) {
      await expect(run(code, given), code).rejects.toThrow(words)
    }
    const { code } = failureOf(laws.deterministic(counted, vector))
    await expect(run(code, { counted }), code).rejects.toThrow('deterministic: place 0')
  })

  it('says what `f` is where the function has no name', () => {
    expect(failureOf(laws.gradientIsCorrect((x) => half(x), tensors({ shape: [] }))).code).toMatch(
      /^assertGradientIsCorrect\(f, t\.tensor\(.*\)\) \/\/ f: the function that the law was given$/m,
    )
  })

  it('of the user alone reports the inputs, or the assertion that is named', async () => {
    const isSmall = (x: t.Tensor): void => expect(Math.max(...x.toFloat32Array())).toBeLessThan(1)
    const { code, counterexample } = failureOf(holds(tensors({ shape: [1] }), isSmall))
    expect(code).toBe(`import * as t from '@tapeflow/autodiff'\n\nconst inputs = ${asCode(counterexample)}`)
    const assertSmall = (f: (x: t.Tensor) => t.Tensor, x: t.Tensor): void => isSmall(f(x))
    const law = holds(tensors({ shape: [1] }), (x) => assertSmall(t.exp, x), {
      name: 'assertSmall',
      from: './laws.ts',
      f: t.exp,
    })
    expect(failureOf(law).code).toBe(
      "import * as t from '@tapeflow/autodiff'\nimport { assertSmall } from './laws.ts'\n\nassertSmall(t.exp, t.tensor([0]))",
    )
  })

  it('passes samples over where a precondition asks for it', () => {
    const law = holds(tensors({ shape: [2] }), (x) => {
      fc.pre(x.toFloat32Array()[0]! > 0)
      expect(x.toFloat32Array()[0]!).toBeGreaterThan(0)
    })
    fc.assert(law, { numRuns: 10, seed: 1 })
  })
})

describe('data as code', () => {
  it('evaluates to what it was', async () => {
    const leaf = fc.oneof(tensors(), keys(), fc.double(), fc.constant(null))
    const samples = fc.sample(laws.trees(leaf), { numRuns: 200, seed: 1 })
    const awkward = {
      "it's": [Number.NaN, -0, -Infinity],
      'a "b" \\ c\n': { shape: [0, 3], values: new Float32Array(0) },
      far: t.key([7, 9]),
    }
    for (const tree of [...samples, awkward]) {
      const equals = (found: unknown): void =>
        t.scope(() => expect(t.toSnapshot(found)).toEqual(t.toSnapshot(t.fromSnapshot<unknown>(tree))))
      await run(`equals(${asCode(tree)})`, { equals })
    }
  })
})
