import * as nn from '@tapeflow/nn/node'
import * as train from '@tapeflow/train/node'
import { refusesOtherOptions } from './known-options.ts'

refusesOtherOptions('nn/node', nn)
refusesOtherOptions('train/node', train, { fitInWorker: ['/recipe.js', {}], directoryStore: ['runs'] })
