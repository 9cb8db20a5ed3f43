// A generative adversarial network through `fit`: two networks, two losses, two optimizers, one compiled step.
//
// Goodfellow et al. 2014, Generative adversarial nets; the penalty: Mescheder, Geiger & Nowozin 2018, Which training methods for
// GANs do actually converge?
import * as t from '@tapeflow/autodiff'
import { binaryCrossEntropy, leakyRelu, linear, type ParamsOf, relu, sequential } from '@tapeflow/nn'
import { adam, partition } from '@tapeflow/optim'
import { fit, type Model, result, type TrainStep } from '@tapeflow/train'
import { tap } from 'rxjs'
import { realPoints } from './ring.ts'

const noise = 8
const generator = sequential(linear(noise, 64), relu(), linear(64, 64), relu(), linear(64, 2))
const discriminator = sequential(linear(2, 64), leakyRelu(), linear(64, 64), leakyRelu(), linear(64, 1))

/** Both networks. */
type GanParams = {
  readonly generator: ParamsOf<typeof generator>
  readonly discriminator: ParamsOf<typeof discriminator>
}

const still = { layers: [null, null, null, null, null] } as const
const plain = { training: true, path: '' } as const
const generated = (params: GanParams['generator'], z: t.Tensor): t.Tensor =>
  generator.apply(params, still, z, plain).y
const logits = (params: GanParams['discriminator'], x: t.Tensor): t.Tensor =>
  discriminator.apply(params, still, x, plain).y

/** Two networks with one name for each; as a model it turns noise into points. */
const gan: Model<GanParams, null> = {
  init: (key, shape) => ({
    params: {
      generator: generator.init(t.foldIn(key, 'generator'), [noise]).params,
      discriminator: discriminator.init(t.foldIn(key, 'discriminator'), shape).params,
    },
    state: null,
    outputShape: shape,
  }),
  apply: ({ generator }, state, z) => ({ y: generated(generator, z), state }),
}

/** How the two are trained. */
export interface GanChoices {
  readonly seed: number
  readonly steps: number
  readonly compile?: boolean
  /** Shown what the generator makes after each so many steps. */
  readonly show?: { readonly every: number; readonly shown: (points: Float32Array, step: number) => void }
}

const loss = binaryCrossEntropy()
const optimizer = partition({
  generator: adam({ learningRate: 1e-3, beta1: 0.5, beta2: 0.99 }),
  discriminator: adam({ learningRate: 2e-3, beta1: 0.5, beta2: 0.99 }),
})
/** γ / 2 of R1, the penalty on how steep the discriminator is at real points. Much larger ones let clouds go again. */
const penalty = 0.01

/** One step: the discriminator learns to tell points apart, then the generator to deceive the new one. */
const trainStep: TrainStep<GanParams, null> = ({ params, slots, state }, { x, y }, { hyper, key }) => {
  const [first, second] = t.split(key, 2)
  const z = (key: t.Key): t.Tensor => t.normal(key, [x.shape[0]!, noise])

  const fake = generated(params.generator, z(first!))
  const judged = t.valueAndGrad((at: GanParams['discriminator']) => {
    const apart = t.add(loss(logits(at, x), y), loss(logits(at, fake), t.zerosLike(y)))
    return t.add(apart, t.mul(steepness(at, x), penalty))
  })(params.discriminator)
  const judge = optimizer.part('discriminator')
  const better = judge.update(judged.gradients, slots, params.discriminator, hyper)

  const made = t.valueAndGrad((at: GanParams['generator']) =>
    loss(logits(better.params, generated(at, z(second!))), y),
  )(params.generator)
  const maker = optimizer.part('generator')
  const next = maker.update(made.gradients, better.slots, params.generator, hyper)

  return {
    params: { generator: next.params, discriminator: better.params },
    slots: next.slots,
    state,
    loss: t.add(judged.value, made.value),
    losses: { discriminator: judged.value, generator: made.value },
  }
}

/** The mean squared length of the discriminator's slope: what is made small is a gradient, and its own gradient one of a gradient. */
function steepness(params: GanParams['discriminator'], x: t.Tensor): t.Tensor {
  const slope = t.grad((at: t.Tensor) => t.sum(logits(params, at)))(x)
  return t.mean(t.sum(t.square(slope), { axis: 1 }))
}

/** What a run has come to. */
export interface Trained {
  /** What the generator makes: points `[x0, y0, x1, y1, …]`. */
  readonly points: Float32Array
  /** The losses of each epoch. */
  readonly losses: readonly Readonly<Record<string, number>>[]
}

/** Trains a generator of the ring, and returns so many points that it makes. */
export async function trainGan(
  { seed, steps, compile = true, show }: GanChoices,
  count: number,
): Promise<Trained> {
  const key = t.key(seed)
  const samples = (params: GanParams['generator']): Float32Array =>
    t.scope(() => generated(params, t.normal(t.foldIn(key, 'samples'), [count, noise])).toFloat32Array())
  const data = realPoints(8192, t.foldIn(key, 'points'))
  const run$ = fit(gan, {
    data: data.shuffle({ key: t.foldIn(key, 'order') }).batch(256),
    trainStep,
    optimizer,
    steps,
    seed,
    compile,
  })
  const shown$ = run$.pipe(
    tap((event) => {
      if (show === undefined || event.type !== 'step' || (event.step + 1) % show.every !== 0) return
      show.shown(samples(event.weights.tree.generator), event.step + 1)
    }),
  )
  const { params, history } = await result(shown$)
  return {
    points: t.scope(() => samples(t.fromSnapshot(params.generator))),
    losses: history.map(({ losses }) => losses ?? {}),
  }
}
