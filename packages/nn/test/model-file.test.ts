import * as t from '@tapeflow/autodiff'
import { describe, expect, test } from 'vitest'
import {
  type AnyLayer,
  activation,
  batchNorm,
  type ConfigValue,
  dropout,
  fromSafetensors,
  inspectSafetensors,
  type LayerConfig,
  linear,
  ones,
  relu,
  sequential,
  sigmoid,
  tanh,
  toSafetensors,
} from '../src/index.ts'
import { type LayerReaders, layersByType, loadModel, loadModelOf, toModelFile } from '../src/model.ts'
import { refusedFile } from './file-bytes.ts'
import { refusal } from './float64.ts'

const model = sequential(
  linear(3, 4, { useBias: false }),
  batchNorm({ momentum: 0.5, epsilon: 1e-3, unbiasedMovingVariance: true, scale: false }),
  sequential(tanh(), dropout(0.25), sigmoid()),
  linear(4, 2),
  relu(),
)
const x = [
  [0.5, -1, 2],
  [3, 0.25, -2],
]

/** Parameters, and a state that a pass has moved. */
function trained(): Pick<ReturnType<typeof model.init>, 'params' | 'state'> {
  const { params, state } = model.init(t.key(1), [3])
  const passed = model.apply(params, state, t.tensor(x), { training: true, path: '', key: t.key(2) })
  return { params, state: passed.state }
}

/** The file of a model without parameters, whose description says this. */
function fileOf(description: object, tree: unknown = {}): Uint8Array {
  const text = JSON.stringify({ version: 1, inputShape: [2], ...description })
  return toSafetensors(tree, { metadata: { 'tapeflow.model': text } })
}

describe('a model in a file', () => {
  test('predicts what the model predicts, bit for bit, compiled or not', () => {
    const { params, state } = trained()
    const loaded = loadModel(toModelFile(model, { params, state, inputShape: [3] }))
    const byHand = model.apply(params, state, t.tensor(x), { training: false, path: '' }).y.toFloat32Array()
    expect(loaded.predict(t.tensor(x)).toFloat32Array()).toEqual(byHand)
    expect(t.compile(loaded.predict)(t.tensor(x)).toFloat32Array()).toEqual(byHand)
  })

  test('comes back with all that it was made from: saved again it is the same file', () => {
    const preprocessing = { mean: [0.1, 0.2, 0.3], standardDeviation: 1 / 3 }
    const bytes = toModelFile(model, {
      ...trained(),
      inputShape: [3],
      preprocessing,
      labels: ['cat', 'dog 🐕'],
    })
    const loaded = loadModel(bytes)
    expect(loaded.labels).toEqual(['cat', 'dog 🐕'])
    expect(loaded.preprocessing).toEqual(preprocessing)
    expect([loaded.inputShape, loaded.outputShape]).toEqual([[3], [2]])
    expect(toModelFile(loaded.model, loaded)).toEqual(bytes)
  })

  test('goes on training: dropout drops as it did', () => {
    const { params, state } = trained()
    const loaded = loadModel(toModelFile(model, { params, state, inputShape: [3] }))
    const ctx = { training: true, path: '', key: t.key(5) }
    expect(loaded.model.apply(loaded.params, loaded.state, t.tensor(x), ctx).y.toArray()).toEqual(
      model.apply(params, state, t.tensor(x), ctx).y.toArray(),
    )
  })

  test('is a safetensors file like any other', () => {
    const bytes = toModelFile(model, { ...trained(), inputShape: [3], metadata: { licence: 'MIT' } })
    expect(Object.keys(fromSafetensors(bytes))).toEqual([
      'params.layers.0.weight',
      'params.layers.1.beta',
      'params.layers.3.bias',
      'params.layers.3.weight',
      'state.layers.1.movingMean',
      'state.layers.1.movingVariance',
    ])
    expect(inspectSafetensors(bytes).metadata).toEqual({
      licence: 'MIT',
      'tapeflow.model': JSON.stringify({
        version: 1,
        inputShape: [3],
        architecture: {
          type: 'sequential',
          layers: [
            { type: 'linear', inSize: 3, outSize: 4, useBias: false },
            {
              type: 'batchNorm',
              center: true,
              epsilon: 1e-3,
              momentum: 0.5,
              scale: false,
              unbiasedMovingVariance: true,
            },
            {
              type: 'sequential',
              layers: [{ type: 'tanh' }, { type: 'dropout', p: 0.25 }, { type: 'sigmoid' }],
            },
            { type: 'linear', inSize: 4, outSize: 2, useBias: true },
            { type: 'relu' },
          ],
        },
      }),
    })
  })

  test('has its samples preprocessed', () => {
    const { params, state } = linear(2, 1, { weight: ones }).init(t.key(1), [2])
    const load = (preprocessing: Parameters<typeof toModelFile>[1]['preprocessing']): unknown =>
      loadModel(
        toModelFile(linear(2, 1), { params, state, inputShape: [2], preprocessing: preprocessing ?? null }),
      )
        .predict(t.tensor([[5, 30]]))
        .toArray()
    expect(load(null)).toEqual([[35]])
    expect(load({ mean: [1, 10], standardDeviation: [2, 4] })).toEqual([[7]])
    expect(load({ scale: 2, offset: [0, 1] })).toEqual([[71]])
  })

  // Of one feature, all others were made by broadcasting.
  test('refuses to preprocess samples of another number of features', () => {
    const { params, state } = linear(2, 1).init(t.key(1), [2])
    for (const preprocessing of [
      { mean: [1, 10], standardDeviation: 1 },
      { scale: 2, offset: [0, 1] },
    ]) {
      const { predict } = loadModel(
        toModelFile(linear(2, 1), { params, state, inputShape: [2], preprocessing }),
      )
      for (const shape of [[3, 1], [3, 3], []]) {
        expect(() => predict(t.ones(shape))).toThrow(
          refusal(
            RangeError,
            `loadModel: the preprocessing is of 2 features, got samples ${t.showShape(shape)}; pass [rows, …, 2]`,
          ),
        )
      }
    }
  })

  test('leaks nothing', () => {
    const bytes = toModelFile(model, { ...trained(), inputShape: [3] })
    const before = t.memory()
    t.scope(() => {
      loadModel(bytes).predict(t.tensor(x))
      return null
    })
    expect([t.memory().tensors, t.memory().bytes]).toEqual([before.tensors, before.bytes])
    const loaded = loadModel(bytes)
    for (const leaf of t.leaves([loaded.params, loaded.state])) leaf.dispose()
    expect([t.memory().tensors, t.memory().bytes]).toEqual([before.tensors, before.bytes])
  })

  test('is checked without drawing weights', () => {
    const { params, state } = linear(2, 1).init(t.key(1), [2])
    const before = t.memory().bytes
    t.resetPeakBytes()
    expect(() => toModelFile(linear(4000, 4000), { params, state, inputShape: [4000] })).toThrow(
      'names and shapes differ',
    )
    expect(t.memory().peakBytes - before).toBeLessThan(100_000)
  })

  test('may have layers that look at their key', () => {
    const seeded: AnyLayer = {
      config: { type: 'seeded' },
      init: (key, inputShape) => ({
        params: { w: t.tensor(t.normalValues(key, 2)) },
        state: { key },
        outputShape: inputShape,
      }),
      apply: (_params, state, given) => ({ y: given, state }),
    }
    const { params, state } = seeded.init(t.key(3), [2])
    const bytes = toModelFile(seeded, { params, state, inputShape: [2] })
    const loaded = loadModel(bytes, { layers: { seeded: () => seeded } })
    expect(t.toSnapshot([loaded.params, loaded.state])).toEqual(t.toSnapshot([params, state]))
  })
})

describe('layers of users', () => {
  const power = (exponent: number): AnyLayer =>
    activation('power', (given) => t.pow(given, exponent), { type: 'power', exponent, note: undefined })
  const readers: LayerReaders = { power: (options) => power(options.number('exponent')) }

  test('are saved by what they say of themselves, and made by a table', () => {
    const bytes = toModelFile(sequential(power(3)), {
      params: { layers: [null] },
      state: { layers: [null] },
      inputShape: [1],
    })
    expect(
      loadModel(bytes, { layers: readers })
        .predict(t.tensor([[2]]))
        .toArray(),
    ).toEqual([[8]])
    expect(loadModelOf({ ...readers, sequential: layersByType['sequential']! }, bytes).outputShape).toEqual([
      1,
    ])
    expect(() => loadModel(bytes)).toThrow(
      refusedFile(
        'loadModel',
        "the layer at 'layers.0' is of a type that is not known, got 'power'; pass how it is made: { layers: { type: (options) => … } }",
      ),
    )
  })

  test('that say nothing are refused by name', () => {
    const nested = sequential(tanh(), sequential(activation('swish', t.tanh)))
    const { params, state } = nested.init(t.key(1), [1])
    expect(() => toModelFile(nested, { params, state, inputShape: [1] })).toThrow(
      refusedFile(
        'toModelFile',
        "the layer at 'layers.1.layers.0' (swish) does not say what it was made from; " +
          "give it config: { type: 'name', …options }, and pass loadModel a reader { layers: { name: (options) => … } }",
      ),
    )
  })

  test('have options of every kind', () => {
    const given = {
      type: 'all',
      n: 1.5,
      b: true,
      s: 'text',
      c: 'same',
      l: [1, 2],
      d: { deep: [null, 'x'] },
      one: tanh(),
      more: [relu(), power(2)],
    }
    const read: unknown[] = []
    const readAll: LayerReaders = {
      ...readers,
      all: (o) => {
        read.push(
          o.number('n'),
          o.boolean('b'),
          o.text('s'),
          o.choice('c', ['valid', 'same']),
          o.numbers('l'),
          o.data('d'),
        )
        read.push(
          o.layer('one').name,
          o.layers('more').map(({ name }) => name),
          o.has('n'),
          o.has('m'),
        )
        read.push(o.number('m', 7), o.choice('e', ['u', 'v'], 'v'), o.text('t', ''))
        return relu()
      },
    }
    const bytes = toModelFile(activation('all', t.relu, given), {
      params: null,
      state: null,
      inputShape: [1],
    })
    loadModel(bytes, { layers: readAll })
    expect(read).toEqual([
      1.5,
      true,
      'text',
      'same',
      [1, 2],
      { deep: [null, 'x'] },
      'tanh',
      ['relu', 'power'],
      true,
      false,
      7,
      'v',
      '',
    ])
  })

  test.each<[ConfigValue, string]>([
    [Number.NaN, "the option 'x' cannot be saved, got NaN; options are plain data or layers"],
    [(() => 1) as never, "the option 'x' cannot be saved, got a function; options are plain data or layers"],
    [new Date(0) as never, "the option 'x' cannot be saved, got a Date; options are plain data or layers"],
    [
      { deep: [t.tensor(1)] } as never,
      "the option 'x.deep.0' cannot be saved, got a Tensor; options are plain data or layers",
    ],
    [{ type: 'a' }, "the option 'x' has a key 'type'; in a file that is what a layer has; call it otherwise"],
  ])('may not have an option %s', (value, problem) => {
    const layer = activation('odd', t.relu, { type: 'odd', x: value } as LayerConfig)
    expect(() => toModelFile(layer, { params: null, state: null, inputShape: [1] })).toThrow(
      refusedFile('toModelFile', problem),
    )
  })
})

describe('is not saved', () => {
  const { params, state } = linear(2, 1).init(t.key(1), [2])
  const contents = { params, state, inputShape: [2] }

  test('with parameters of another model', () => {
    expect(() => toModelFile(linear(2, 3), contents)).toThrow(
      refusedFile(
        'toModelFile',
        "names and shapes differ, other shapes: 'params.bias' has [1] instead of [3], 'params.weight' has [2,1] instead of [2,3]; " +
          'pass what init of this model made',
      ),
    )
  })

  test('with an input shape that it does not take', () => {
    expect(() => toModelFile(linear(2, 1), { ...contents, inputShape: [3] })).toThrow(
      refusedFile(
        'toModelFile',
        'the model does not take samples of shape [3]: linear: the layer takes 2 features, got samples of shape [3]; ' +
          "make the last axis 2, or change the layer's input size",
      ),
    )
  })

  test.each<[unknown, string]>([
    [
      { mean: 1 },
      'the preprocessing must have mean and standardDeviation, or scale and offset, got mean; pass a number for each, or an array of one for each feature',
    ],
    [
      { mean: 0, standardDeviation: [1, 0] },
      "the preprocessing's standardDeviation must be a finite float32 above 0, or 2 of them; a feature that never changes has a standard deviation of 0: pass 1 for it",
    ],
    [
      { mean: 0, standardDeviation: 1e-50 },
      "the preprocessing's standardDeviation must be a finite float32 above 0, or 2 of them; a feature that never changes has a standard deviation of 0: pass 1 for it",
    ],
    [
      { scale: [1, 2, 3], offset: 0 },
      "the preprocessing's scale must be a finite float32, or 2 of them; a feature that never changes has a standard deviation of 0: pass 1 for it",
    ],
    [
      { scale: 1, offset: Number.NaN },
      "the preprocessing's offset must be a finite float32, or 2 of them; a feature that never changes has a standard deviation of 0: pass 1 for it",
    ],
  ])('with the preprocessing %j', (preprocessing, problem) => {
    expect(() => toModelFile(linear(2, 1), { ...contents, preprocessing: preprocessing as never })).toThrow(
      refusedFile('toModelFile', problem),
    )
  })

  test('with labels of another number, or metadata of its own name', () => {
    expect(() => toModelFile(linear(2, 1), { ...contents, labels: ['a', 'b'] })).toThrow(
      'toModelFile: there must be a label for each class, got 2 for outputs of shape [1]; name the classes in the order of the last axis',
    )
    expect(() => toModelFile(linear(2, 1), { ...contents, labels: [1 as never] })).toThrow(
      'toModelFile: labels must be texts, got a number',
    )
    expect(() => toModelFile(linear(2, 1), { ...contents, labels: [undefined as never] })).toThrow(
      'toModelFile: labels must be texts, got undefined',
    )
    expect(() => toModelFile(linear(2, 1), { ...contents, metadata: { 'tapeflow.model': '' } })).toThrow(
      "toModelFile: the metadata 'tapeflow.model' are the model's own; rename them",
    )
  })
})

describe('is not loaded', () => {
  const sized = (inSize: unknown): Uint8Array =>
    fileOf(
      { architecture: { type: 'linear', inSize, outSize: 1, useBias: false } },
      { params: { weight: t.ones([2, 1]) } },
    )
  const damaged = 'the file is damaged'
  test.each<[string, Uint8Array, string]>([
    ['arrays alone', toSafetensors({}), 'the file holds no model; arrays alone are read by fromSafetensors'],
    [
      'no JSON',
      toSafetensors({}, { metadata: { 'tapeflow.model': '{' } }),
      `the description of the model is no JSON; ${damaged}`,
    ],
    [
      'no object',
      toSafetensors({}, { metadata: { 'tapeflow.model': '[]' } }),
      `the description of the model is no object; ${damaged}`,
    ],
    [
      'a key twice',
      toSafetensors({}, { metadata: { 'tapeflow.model': '{"a":1,"a":2}' } }),
      "the description of the model names 'a' twice",
    ],
    [
      'another version',
      fileOf({ version: 2 }),
      'the model is described in version 2, version 1 is read; update @tapeflow/nn',
    ],
    ['no input shape', fileOf({ inputShape: 3 }), `the model has no input shape; ${damaged}`],
    [
      'an input shape that is none',
      fileOf({ inputShape: [-1] }),
      "'inputShape' has a shape that is none; sizes must be integers from 0 on",
    ],
    [
      'an input shape beyond any memory',
      fileOf({ inputShape: [2 ** 27], architecture: { type: 'relu' } }),
      'a sample of shape [134217728] has more than 2^26 elements; cut it into several',
    ],
    ['no architecture', fileOf({}), `the model is no description of a layer; ${damaged}`],
    [
      'a layer that is a list',
      fileOf({ architecture: { type: 'sequential', layers: [[]] } }),
      `the layer at 'layers.0' is no description of a layer; ${damaged}`,
    ],
    ...['constructor', '__proto__', 'toString'].map((type): [string, Uint8Array, string] => [
      `a layer of type ${type}`,
      fileOf({ architecture: { type } }),
      `the model is of a type that is not known, got '${type}'; pass how it is made: { layers: { type: (options) => … } }`,
    ]),
    [
      'no layers',
      fileOf({ architecture: { type: 'sequential' } }),
      "the model needs a list of layers for 'layers', got undefined",
    ],
    [
      'a size that is a text',
      sized('2'),
      "the model needs an integer from 1 to 2 for 'inSize', got a string",
    ],
    [
      'a size beyond the file',
      sized(2 ** 29),
      "the model needs an integer from 1 to 2 for 'inSize', got 536870912",
    ],
    ['no size', sized(undefined), "the model needs an integer from 1 to 2 for 'inSize', got undefined"],
    [
      'an option that a layer refuses',
      fileOf({ architecture: { type: 'dropout', p: 2 } }),
      'the model cannot be made: dropout: p must be at least 0 and below 1, got 2; pass the share that is dropped',
    ],
    [
      'options that are not known',
      fileOf({ architecture: { type: 'relu', alpha: 1 } }),
      "the model (relu) has options that are not known, got 'alpha'; the file is damaged, or from a newer version",
    ],
    [
      'arrays of another model',
      sized(1),
      "the model does not take samples of shape [2]: linear: the layer takes 1 features, got samples of shape [2]; make the last axis 1, or change the layer's input size",
    ],
    [
      'arrays that lack',
      fileOf({ architecture: { type: 'relu' } }, { x: 1 }),
      "names and shapes differ, not expected 'x'; load the file into a tree like the one that it was made from",
    ],
    [
      'labels of another number',
      fileOf({ architecture: { type: 'relu' }, labels: ['a'] }),
      `the labels are no list of 2 texts; ${damaged}`,
    ],
    [
      'a preprocessing that is none',
      fileOf({ architecture: { type: 'relu' }, preprocessing: 1 }),
      'the preprocessing must have mean and standardDeviation, or scale and offset, got a number; pass a number for each, or an array of one for each feature',
    ],
  ])('%s', (_, bytes, problem) => {
    const before = t.memory()
    expect(() => loadModel(bytes)).toThrow(refusedFile('loadModel', problem))
    expect([t.memory().tensors, t.memory().bytes]).toEqual([before.tensors, before.bytes])
  })

  test('layers a thousand deep', () => {
    let architecture: object = { type: 'relu' }
    for (let i = 0; i < 1000; i++) architecture = { type: 'sequential', layers: [architecture] }
    expect(() => loadModel(fileOf({ architecture }))).toThrow(
      refusedFile('loadModel', 'layers are nested more than 100 deep'),
    )
  })
})
