import * as nn from '@tapeflow/nn/node'
import { refusesOtherOptions } from './known-options.ts'

refusesOtherOptions('nn/node', nn)
