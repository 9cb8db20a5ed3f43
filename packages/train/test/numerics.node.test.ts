import { setFlagsFromString } from 'node:v8'
import { relaxed } from '@tapeflow/autodiff/relaxed'
import { mse } from '@tapeflow/nn'
import { adam } from '@tapeflow/optim'
import { expect, test } from 'vitest'
import { fit } from '../src/index.ts'
import { surface, surfaceModel } from './small.ts'
import { told } from './told.ts'

// Behind a flag in Node 20, which is heard while the process runs, too.
if (process.versions.node.startsWith('20.')) setFlagsFromString('--experimental-wasm-relaxed-simd')

test('a run in the relaxed mode gives the same bits twice, other ones than a strict run, and nearly its losses', async () => {
  const options = { data: surface(100).batch(32), loss: mse(), optimizer: adam(), epochs: 5 }
  const losses = (tellings: readonly object[]): readonly number[] =>
    (tellings as readonly { type: string; loss: number }[]).flatMap(({ type, loss }) =>
      type === 'step' ? [loss] : [],
    )
  const fast = await told(fit(surfaceModel, { ...options, numerics: relaxed() }))
  expect(await told(fit(surfaceModel, { ...options, numerics: relaxed() }))).toEqual(fast)
  const strict = await told(fit(surfaceModel, options))
  expect(fast).not.toEqual(strict)
  expect(losses(fast)).toHaveLength(20)
  for (const [step, loss] of losses(fast).entries()) expect(loss).toBeCloseTo(losses(strict)[step]!, 4)
})
