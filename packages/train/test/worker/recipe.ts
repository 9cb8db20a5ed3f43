// What workers in tests run: a small network on a surface, with whatever the test asks for by name.
import * as t from '@tapeflow/autodiff'
import { dataset } from '@tapeflow/data'
import { dropout, linear, mae, meanAbsoluteError, mse, sequential, tanh } from '@tapeflow/nn'
import { momentum } from '@tapeflow/optim'
import { mergeMap, type Observable, of } from 'rxjs'
import {
  type Callback,
  earlyStopping,
  type FitArguments,
  type TrainCommand,
  type TrainEvent,
  type TrainStep,
} from '../../src/index.ts'

/** What a test asks for. */
export interface Asked {
  readonly rows?: number
  readonly epochs?: number
  readonly steps?: number
  readonly seed?: number
  readonly budget?: number
  /** Whether the training step is the recipe's own, with losses that it names. */
  readonly own?: boolean
  /** Which callbacks it has, by name. */
  readonly callbacks?: readonly CallbackName[]
}

type CallbackName = 'earlyStopping' | 'checkpoints' | 'throwing' | 'exiting' | 'hoarding'

const callbacks: Readonly<Record<CallbackName, Callback>> = {
  earlyStopping: earlyStopping({ monitor: 'validation.loss', mode: 'min', patience: 1, minDelta: 10 }),
  checkpoints: answering('checkpoints', (event) =>
    event.type === 'epoch' && event.epoch === 0 ? [{ type: 'checkpoint' }] : [],
  ),
  throwing: answering('throwing', (event) => {
    if (event.type === 'step' && event.step === 3) throw new RangeError('step three is refused')
    return []
  }),
  exiting: answering('exiting', (event) => {
    if (event.type === 'step' && event.step === 3) leave()
    return []
  }),
  hoarding: answering('hoarding', () => {
    const hoard: number[][] = []
    for (;;) hoard.push(Array.from({ length: 100_000 }, (_, i) => i + 0.5))
  }),
}

function answering(name: string, answer: (event: TrainEvent) => readonly TrainCommand[]): Callback {
  return {
    name,
    run: (events$): Observable<TrainCommand> => events$.pipe(mergeMap((event) => of(...answer(event)))),
  }
}

/** Ends the worker, as the platform does it. */
function leave(): void {
  if (typeof process === 'undefined') self.close()
  else process.exit(7)
}

export default function recipe({
  rows = 64,
  epochs,
  steps,
  seed = 5,
  budget,
  own = false,
  callbacks: names = [],
}: Asked): FitArguments {
  const x = t.uniformValues(t.key(1), 2 * rows, -1, 1)
  const y = Float32Array.from({ length: rows }, (_, i) => Math.sin(3 * x[2 * i]!) * x[2 * i + 1]!)
  const data = dataset({ x: { shape: [rows, 2], values: x }, y: { shape: [rows, 1], values: y } })
  const model = sequential(linear(2, 8), tanh(), dropout(0.2), linear(8, 1))
  const optimizer = momentum({ learningRate: 0.05 })
  type Made = ReturnType<typeof model.init>
  const trainStep: TrainStep<Made['params'], Made['state']> = ({ params, state, slots }, batch, context) => {
    const made = model.apply(params, state, batch.x, context)
    const loss = mse()(made.y, batch.y)
    return {
      params,
      state: made.state,
      slots,
      loss,
      losses: { own: loss, one: t.tensor(1) },
      prediction: made.y,
    }
  }
  return {
    model,
    data: data.shuffle({ key: t.key(3) }).batch(8),
    validation: data.batch(16),
    loss: { squared: mse(), absolute: { loss: mae(), weight: 0.5 } },
    metrics: [meanAbsoluteError()],
    optimizer,
    ...(own && { trainStep }),
    seed,
    callbacks: names.map((name) => callbacks[name]),
    ...(epochs === undefined ? { steps: steps ?? 20 } : { epochs }),
    ...(budget === undefined ? {} : { pace: { budget } }),
  }
}
