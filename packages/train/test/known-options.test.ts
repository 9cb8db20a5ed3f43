import * as data from '@tapeflow/data'
import * as nn from '@tapeflow/nn'
import * as browser from '@tapeflow/nn/browser'
import * as models from '@tapeflow/nn/model'
import * as npz from '@tapeflow/nn/npz'
import * as optim from '@tapeflow/optim'
import * as train from '@tapeflow/train'
import { expect, test } from 'vitest'
import { refusesOtherOptions, takingOptions } from './known-options.ts'

refusesOtherOptions('optim', optim)
refusesOtherOptions('nn', nn)
refusesOtherOptions('nn/model', models)
refusesOtherOptions('nn/npz', npz)
refusesOtherOptions('nn/browser', browser)
const live = { subscribe: () => ({ unsubscribe: () => {} }) }
refusesOtherOptions('data', data, { fromObservable: [live], livePull: [live] })
refusesOtherOptions('dataset', { ...data.dataset([1, 2]) })
const [model, weights] = [nn.identity(), { params: null, state: null }]
refusesOtherOptions('train', train, {
  fit: [model],
  trainLoop: [model, []],
  evaluate: [model, weights],
  predict: [model, weights],
  predictAll: [model, weights],
  fitInWorker: ['https://example.invalid/recipe.js', {}],
})

test('functions that take options are found, however they take them', () => {
  class Machine {
    readonly kept: object
    constructor(options: object) {
      this.kept = options
    }
  }
  const module = {
    none: (x: number) => x,
    last: (x: number, [a]: number[], options: object = { a: [1, [2]] }) => [x, a, options],
    apart: (x: number, { a = 1 }: { a?: number } = {}) => [x, a],
    first: async (options: object = {}) => options,
    Machine,
    value: 3,
  }
  expect(takingOptions(module)).toEqual([
    ['last', 2],
    ['apart', 1],
    ['first', 0],
  ])
})
