// Written by scripts/generate.js from the files of src/ops; do not edit.

import type { OperationInfo } from '../../operation.ts'
import { info as absInfo } from '../abs.ts'
import { info as addInfo } from '../add.ts'
import { info as allInfo } from '../all.ts'
import { info as anyInfo } from '../any.ts'
import { info as argMaxInfo } from '../arg-max.ts'
import { info as argMinInfo } from '../arg-min.ts'
import { info as ceilInfo } from '../ceil.ts'
import { info as clipInfo } from '../clip.ts'
import { info as concatInfo } from '../concat.ts'
import { info as cumProdInfo } from '../cum-prod.ts'
import { info as cumSumInfo } from '../cum-sum.ts'
import { info as divInfo } from '../div.ts'
import { info as equalInfo } from '../equal.ts'
import { info as expInfo } from '../exp.ts'
import { info as floorInfo } from '../floor.ts'
import { info as gatherInfo } from '../gather.ts'
import { info as greaterEqualInfo } from '../greater-equal.ts'
import { info as greaterInfo } from '../greater.ts'
import { info as isFiniteInfo } from '../is-finite.ts'
import { info as isNanInfo } from '../is-nan.ts'
import { info as lessEqualInfo } from '../less-equal.ts'
import { info as lessInfo } from '../less.ts'
import { info as linearRecurrenceInfo } from '../linear-recurrence.ts'
import { info as logSoftmaxInfo } from '../log-softmax.ts'
import { info as logSumExpInfo } from '../log-sum-exp.ts'
import { info as logInfo } from '../log.ts'
import { info as logicalAndInfo } from '../logical-and.ts'
import { info as logicalNotInfo } from '../logical-not.ts'
import { info as logicalOrInfo } from '../logical-or.ts'
import { info as logicalXorInfo } from '../logical-xor.ts'
import { info as matmulInfo } from '../matmul.ts'
import { info as maxInfo } from '../max.ts'
import { info as maximumInfo } from '../maximum.ts'
import { info as meanInfo } from '../mean.ts'
import { info as minInfo } from '../min.ts'
import { info as minimumInfo } from '../minimum.ts'
import { info as modInfo } from '../mod.ts'
import { info as mulInfo } from '../mul.ts'
import { info as negInfo } from '../neg.ts'
import { info as normInfo } from '../norm.ts'
import { info as notEqualInfo } from '../not-equal.ts'
import { info as oneHotInfo } from '../one-hot.ts'
import { info as prodInfo } from '../prod.ts'
import { info as reluInfo } from '../relu.ts'
import { info as reshapeInfo } from '../reshape.ts'
import { info as roundInfo } from '../round.ts'
import { info as sigmoidInfo } from '../sigmoid.ts'
import { info as signInfo } from '../sign.ts'
import { info as sliceInfo } from '../slice.ts'
import { info as softmaxInfo } from '../softmax.ts'
import { info as sqrtInfo } from '../sqrt.ts'
import { info as squareInfo } from '../square.ts'
import { info as stdInfo } from '../std.ts'
import { info as subInfo } from '../sub.ts'
import { info as sumInfo } from '../sum.ts'
import { info as tanhInfo } from '../tanh.ts'
import { info as transposeInfo } from '../transpose.ts'
import { info as truncInfo } from '../trunc.ts'
import { info as varianceInfo } from '../variance.ts'
import { info as whereInfo } from '../where.ts'

/** Every operation of the package: the rows of the property tests, of the documentation table and of the benchmarks. */
export const operations: readonly OperationInfo[] = [
  ...absInfo,
  ...addInfo,
  ...allInfo,
  ...anyInfo,
  ...argMaxInfo,
  ...argMinInfo,
  ...ceilInfo,
  ...clipInfo,
  ...concatInfo,
  ...cumProdInfo,
  ...cumSumInfo,
  ...divInfo,
  ...equalInfo,
  ...expInfo,
  ...floorInfo,
  ...gatherInfo,
  ...greaterEqualInfo,
  ...greaterInfo,
  ...isFiniteInfo,
  ...isNanInfo,
  ...lessEqualInfo,
  ...lessInfo,
  ...linearRecurrenceInfo,
  ...logSoftmaxInfo,
  ...logSumExpInfo,
  ...logInfo,
  ...logicalAndInfo,
  ...logicalNotInfo,
  ...logicalOrInfo,
  ...logicalXorInfo,
  ...matmulInfo,
  ...maxInfo,
  ...maximumInfo,
  ...meanInfo,
  ...minInfo,
  ...minimumInfo,
  ...modInfo,
  ...mulInfo,
  ...negInfo,
  ...normInfo,
  ...notEqualInfo,
  ...oneHotInfo,
  ...prodInfo,
  ...reluInfo,
  ...reshapeInfo,
  ...roundInfo,
  ...sigmoidInfo,
  ...signInfo,
  ...sliceInfo,
  ...softmaxInfo,
  ...sqrtInfo,
  ...squareInfo,
  ...stdInfo,
  ...subInfo,
  ...sumInfo,
  ...tanhInfo,
  ...transposeInfo,
  ...truncInfo,
  ...varianceInfo,
  ...whereInfo,
]
