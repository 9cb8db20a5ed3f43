// Written by scripts/generate.js from the files of src/ops; do not edit.

import type { OperationInfo } from '../../operation.ts'
import { info as addInfo } from '../add.ts'
import { info as argMaxInfo } from '../arg-max.ts'
import { info as batchNormInfo } from '../batch-norm.ts'
import { info as concatInfo } from '../concat.ts'
import { info as divInfo } from '../div.ts'
import { info as equalInfo } from '../equal.ts'
import { info as expInfo } from '../exp.ts'
import { info as gatherInfo } from '../gather.ts'
import { info as greaterInfo } from '../greater.ts'
import { info as layerNormInfo } from '../layer-norm.ts'
import { info as linearInfo } from '../linear.ts'
import { info as logSoftmaxInfo } from '../log-softmax.ts'
import { info as logSumExpInfo } from '../log-sum-exp.ts'
import { info as logInfo } from '../log.ts'
import { info as matmulInfo } from '../matmul.ts'
import { info as maxInfo } from '../max.ts'
import { info as maximumInfo } from '../maximum.ts'
import { info as meanInfo } from '../mean.ts'
import { info as mulInfo } from '../mul.ts'
import { info as negInfo } from '../neg.ts'
import { info as oneHotInfo } from '../one-hot.ts'
import { info as reluInfo } from '../relu.ts'
import { info as reshapeInfo } from '../reshape.ts'
import { info as scaledDotProductAttentionInfo } from '../scaled-dot-product-attention.ts'
import { info as sigmoidCrossEntropyInfo } from '../sigmoid-cross-entropy.ts'
import { info as sigmoidInfo } from '../sigmoid.ts'
import { info as sliceInfo } from '../slice.ts'
import { info as softmaxCrossEntropyInfo } from '../softmax-cross-entropy.ts'
import { info as softmaxInfo } from '../softmax.ts'
import { info as sqrtInfo } from '../sqrt.ts'
import { info as squareInfo } from '../square.ts'
import { info as subInfo } from '../sub.ts'
import { info as sumInfo } from '../sum.ts'
import { info as tanhInfo } from '../tanh.ts'
import { info as transposeInfo } from '../transpose.ts'
import { info as whereInfo } from '../where.ts'

/** Every operation of the package: the rows of the property tests, of the documentation table and of the benchmarks. */
export const operations: readonly OperationInfo[] = [
  ...addInfo,
  ...argMaxInfo,
  ...batchNormInfo,
  ...concatInfo,
  ...divInfo,
  ...equalInfo,
  ...expInfo,
  ...gatherInfo,
  ...greaterInfo,
  ...layerNormInfo,
  ...linearInfo,
  ...logSoftmaxInfo,
  ...logSumExpInfo,
  ...logInfo,
  ...matmulInfo,
  ...maxInfo,
  ...maximumInfo,
  ...meanInfo,
  ...mulInfo,
  ...negInfo,
  ...oneHotInfo,
  ...reluInfo,
  ...reshapeInfo,
  ...scaledDotProductAttentionInfo,
  ...sigmoidCrossEntropyInfo,
  ...sigmoidInfo,
  ...sliceInfo,
  ...softmaxCrossEntropyInfo,
  ...softmaxInfo,
  ...sqrtInfo,
  ...squareInfo,
  ...subInfo,
  ...sumInfo,
  ...tanhInfo,
  ...transposeInfo,
  ...whereInfo,
]
