// Written by scripts/generate.js from the files of src/ops; do not edit.

import type { OperationInfo } from '../../operation.ts'
import { info as acosInfo } from '../acos.ts'
import { info as acoshInfo } from '../acosh.ts'
import { info as addInfo } from '../add.ts'
import { info as argMaxInfo } from '../arg-max.ts'
import { info as asinInfo } from '../asin.ts'
import { info as asinhInfo } from '../asinh.ts'
import { info as atanInfo } from '../atan.ts'
import { info as atan2Info } from '../atan2.ts'
import { info as atanhInfo } from '../atanh.ts'
import { info as cbrtInfo } from '../cbrt.ts'
import { info as concatInfo } from '../concat.ts'
import { info as divInfo } from '../div.ts'
import { info as equalInfo } from '../equal.ts'
import { info as expInfo } from '../exp.ts'
import { info as gatherInfo } from '../gather.ts'
import { info as greaterInfo } from '../greater.ts'
import { info as hypotInfo } from '../hypot.ts'
import { info as logSoftmaxInfo } from '../log-softmax.ts'
import { info as logSumExpInfo } from '../log-sum-exp.ts'
import { info as logInfo } from '../log.ts'
import { info as log2Info } from '../log2.ts'
import { info as matmulInfo } from '../matmul.ts'
import { info as maxInfo } from '../max.ts'
import { info as maximumInfo } from '../maximum.ts'
import { info as meanInfo } from '../mean.ts'
import { info as mulInfo } from '../mul.ts'
import { info as negInfo } from '../neg.ts'
import { info as oneHotInfo } from '../one-hot.ts'
import { info as powInfo } from '../pow.ts'
import { info as reciprocalInfo } from '../reciprocal.ts'
import { info as reluInfo } from '../relu.ts'
import { info as reshapeInfo } from '../reshape.ts'
import { info as rsqrtInfo } from '../rsqrt.ts'
import { info as sigmoidInfo } from '../sigmoid.ts'
import { info as sinInfo } from '../sin.ts'
import { info as sinhInfo } from '../sinh.ts'
import { info as sliceInfo } from '../slice.ts'
import { info as softmaxInfo } from '../softmax.ts'
import { info as sqrtInfo } from '../sqrt.ts'
import { info as squareInfo } from '../square.ts'
import { info as subInfo } from '../sub.ts'
import { info as sumInfo } from '../sum.ts'
import { info as tanInfo } from '../tan.ts'
import { info as tanhInfo } from '../tanh.ts'
import { info as transposeInfo } from '../transpose.ts'
import { info as whereInfo } from '../where.ts'

/** Every operation of the package: the rows of the property tests, of the documentation table and of the benchmarks. */
export const operations: readonly OperationInfo[] = [
  ...acosInfo,
  ...acoshInfo,
  ...addInfo,
  ...argMaxInfo,
  ...asinInfo,
  ...asinhInfo,
  ...atanInfo,
  ...atan2Info,
  ...atanhInfo,
  ...cbrtInfo,
  ...concatInfo,
  ...divInfo,
  ...equalInfo,
  ...expInfo,
  ...gatherInfo,
  ...greaterInfo,
  ...hypotInfo,
  ...logSoftmaxInfo,
  ...logSumExpInfo,
  ...logInfo,
  ...log2Info,
  ...matmulInfo,
  ...maxInfo,
  ...maximumInfo,
  ...meanInfo,
  ...mulInfo,
  ...negInfo,
  ...oneHotInfo,
  ...powInfo,
  ...reciprocalInfo,
  ...reluInfo,
  ...reshapeInfo,
  ...rsqrtInfo,
  ...sigmoidInfo,
  ...sinInfo,
  ...sinhInfo,
  ...sliceInfo,
  ...softmaxInfo,
  ...sqrtInfo,
  ...squareInfo,
  ...subInfo,
  ...sumInfo,
  ...tanInfo,
  ...tanhInfo,
  ...transposeInfo,
  ...whereInfo,
]
