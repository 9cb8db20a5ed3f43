import { mse } from '@tapeflow/nn'
import { sgd } from '@tapeflow/optim'
import { test } from 'vitest'
import { fit } from '../src/index.ts'
import { surface, surfaceModel } from './small.ts'
test('pace', async () => {
  const lines: string[] = []
  for (let round = 0; round < 4; round++) for (const budget of [0, 1, 2, 4, 8, 16, 1e9]) {
    const begun = performance.now()
    let frames = 0
    let going = true
    const frame = () => { frames++; if (going && typeof requestAnimationFrame === 'function') requestAnimationFrame(frame) }
    frame()
    await new Promise<void>((resolve, reject) => fit(surfaceModel, { data: surface(320).batch(32), loss: mse(), optimizer: sgd({ learningRate: 0.1 }), steps: 4000, pace: { budget } }).subscribe({ complete: resolve, error: reject }))
    going = false
    const ms = performance.now() - begun
    if (round > 0) lines.push(`${budget}: ${(ms / 4).toFixed(1)} us per step, ${(1000 * frames / ms).toFixed(0)} fps`)
  }
  console.log(lines.join('\n'))
})
