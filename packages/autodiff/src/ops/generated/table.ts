// Written by scripts/generate.js from the files of src/ops; do not edit.

import type { OperationInfo } from '../../operation.ts'
import { info as addInfo } from '../add.ts'
import { info as argMaxInfo } from '../arg-max.ts'
import { info as concatInfo } from '../concat.ts'
import { info as divInfo } from '../div.ts'
import { info as eluInfo } from '../elu.ts'
import { info as equalInfo } from '../equal.ts'
import { info as erfInfo } from '../erf.ts'
import { info as expInfo } from '../exp.ts'
import { info as expm1Info } from '../expm1.ts'
import { info as gatherInfo } from '../gather.ts'
import { info as geluTanhInfo } from '../gelu-tanh.ts'
import { info as geluInfo } from '../gelu.ts'
import { info as greaterInfo } from '../greater.ts'
import { info as hardSigmoidInfo } from '../hard-sigmoid.ts'
import { info as hardTanhInfo } from '../hard-tanh.ts'
import { info as leakyReluInfo } from '../leaky-relu.ts'
import { info as logAddExpInfo } from '../log-add-exp.ts'
import { info as logSoftmaxInfo } from '../log-softmax.ts'
import { info as logSumExpInfo } from '../log-sum-exp.ts'
import { info as logInfo } from '../log.ts'
import { info as log1pInfo } from '../log1p.ts'
import { info as matmulInfo } from '../matmul.ts'
import { info as maxInfo } from '../max.ts'
import { info as maximumInfo } from '../maximum.ts'
import { info as meanInfo } from '../mean.ts'
import { info as mishInfo } from '../mish.ts'
import { info as mulInfo } from '../mul.ts'
import { info as negInfo } from '../neg.ts'
import { info as oneHotInfo } from '../one-hot.ts'
import { info as reluInfo } from '../relu.ts'
import { info as relu6Info } from '../relu6.ts'
import { info as reshapeInfo } from '../reshape.ts'
import { info as seluInfo } from '../selu.ts'
import { info as sigmoidInfo } from '../sigmoid.ts'
import { info as siluInfo } from '../silu.ts'
import { info as sliceInfo } from '../slice.ts'
import { info as softmaxInfo } from '../softmax.ts'
import { info as softplusInfo } from '../softplus.ts'
import { info as softsignInfo } from '../softsign.ts'
import { info as sqrtInfo } from '../sqrt.ts'
import { info as squareInfo } from '../square.ts'
import { info as stepInfo } from '../step.ts'
import { info as subInfo } from '../sub.ts'
import { info as sumInfo } from '../sum.ts'
import { info as tanhInfo } from '../tanh.ts'
import { info as transposeInfo } from '../transpose.ts'
import { info as whereInfo } from '../where.ts'

/** Every operation of the package: the rows of the property tests, of the documentation table and of the benchmarks. */
export const operations: readonly OperationInfo[] = [
  ...addInfo,
  ...argMaxInfo,
  ...concatInfo,
  ...divInfo,
  ...eluInfo,
  ...equalInfo,
  ...erfInfo,
  ...expInfo,
  ...expm1Info,
  ...gatherInfo,
  ...geluTanhInfo,
  ...geluInfo,
  ...greaterInfo,
  ...hardSigmoidInfo,
  ...hardTanhInfo,
  ...leakyReluInfo,
  ...logAddExpInfo,
  ...logSoftmaxInfo,
  ...logSumExpInfo,
  ...logInfo,
  ...log1pInfo,
  ...matmulInfo,
  ...maxInfo,
  ...maximumInfo,
  ...meanInfo,
  ...mishInfo,
  ...mulInfo,
  ...negInfo,
  ...oneHotInfo,
  ...reluInfo,
  ...relu6Info,
  ...reshapeInfo,
  ...seluInfo,
  ...sigmoidInfo,
  ...siluInfo,
  ...sliceInfo,
  ...softmaxInfo,
  ...softplusInfo,
  ...softsignInfo,
  ...sqrtInfo,
  ...squareInfo,
  ...stepInfo,
  ...subInfo,
  ...sumInfo,
  ...tanhInfo,
  ...transposeInfo,
  ...whereInfo,
]
