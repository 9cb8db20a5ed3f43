// Written by scripts/generate.js from the files of src/ops; do not edit.

import type { OperationInfo } from '../../operation.ts'
import { info as absInfo } from '../abs.ts'
import { info as acosInfo } from '../acos.ts'
import { info as acoshInfo } from '../acosh.ts'
import { info as addInfo } from '../add.ts'
import { info as allInfo } from '../all.ts'
import { info as anyInfo } from '../any.ts'
import { info as argMaxInfo } from '../arg-max.ts'
import { info as argMinInfo } from '../arg-min.ts'
import { info as asinInfo } from '../asin.ts'
import { info as asinhInfo } from '../asinh.ts'
import { info as atanInfo } from '../atan.ts'
import { info as atan2Info } from '../atan2.ts'
import { info as atanhInfo } from '../atanh.ts'
import { info as avgPool2dInfo } from '../avg-pool2d.ts'
import { info as batchNormInfo } from '../batch-norm.ts'
import { info as cbrtInfo } from '../cbrt.ts'
import { info as ceilInfo } from '../ceil.ts'
import { info as clipInfo } from '../clip.ts'
import { info as concatInfo } from '../concat.ts'
import { info as conv2dInfo } from '../conv2d.ts'
import { info as cumProdInfo } from '../cum-prod.ts'
import { info as cumSumInfo } from '../cum-sum.ts'
import { info as diagInfo } from '../diag.ts'
import { info as divInfo } from '../div.ts'
import { info as dotInfo } from '../dot.ts'
import { info as einsumInfo } from '../einsum.ts'
import { info as eluInfo } from '../elu.ts'
import { info as equalInfo } from '../equal.ts'
import { info as erfInfo } from '../erf.ts'
import { info as expInfo } from '../exp.ts'
import { info as expm1Info } from '../expm1.ts'
import { info as flipInfo } from '../flip.ts'
import { info as floorInfo } from '../floor.ts'
import { info as gatherInfo } from '../gather.ts'
import { info as geluTanhInfo } from '../gelu-tanh.ts'
import { info as geluInfo } from '../gelu.ts'
import { info as greaterEqualInfo } from '../greater-equal.ts'
import { info as greaterInfo } from '../greater.ts'
import { info as hardSigmoidInfo } from '../hard-sigmoid.ts'
import { info as hardTanhInfo } from '../hard-tanh.ts'
import { info as hypotInfo } from '../hypot.ts'
import { info as isFiniteInfo } from '../is-finite.ts'
import { info as isNanInfo } from '../is-nan.ts'
import { info as layerNormInfo } from '../layer-norm.ts'
import { info as leakyReluInfo } from '../leaky-relu.ts'
import { info as lessEqualInfo } from '../less-equal.ts'
import { info as lessInfo } from '../less.ts'
import { info as linearRecurrenceInfo } from '../linear-recurrence.ts'
import { info as linearInfo } from '../linear.ts'
import { info as logAddExpInfo } from '../log-add-exp.ts'
import { info as logSoftmaxInfo } from '../log-softmax.ts'
import { info as logSumExpInfo } from '../log-sum-exp.ts'
import { info as logInfo } from '../log.ts'
import { info as log1pInfo } from '../log1p.ts'
import { info as log2Info } from '../log2.ts'
import { info as logicalAndInfo } from '../logical-and.ts'
import { info as logicalNotInfo } from '../logical-not.ts'
import { info as logicalOrInfo } from '../logical-or.ts'
import { info as logicalXorInfo } from '../logical-xor.ts'
import { info as matmulInfo } from '../matmul.ts'
import { info as maxPool2dInfo } from '../max-pool2d.ts'
import { info as maxInfo } from '../max.ts'
import { info as maximumInfo } from '../maximum.ts'
import { info as meanInfo } from '../mean.ts'
import { info as minInfo } from '../min.ts'
import { info as minimumInfo } from '../minimum.ts'
import { info as mishInfo } from '../mish.ts'
import { info as modInfo } from '../mod.ts'
import { info as mulInfo } from '../mul.ts'
import { info as negInfo } from '../neg.ts'
import { info as normInfo } from '../norm.ts'
import { info as notEqualInfo } from '../not-equal.ts'
import { info as oneHotInfo } from '../one-hot.ts'
import { info as padInfo } from '../pad.ts'
import { info as powInfo } from '../pow.ts'
import { info as prodInfo } from '../prod.ts'
import { info as reciprocalInfo } from '../reciprocal.ts'
import { info as reluInfo } from '../relu.ts'
import { info as relu6Info } from '../relu6.ts'
import { info as reshapeInfo } from '../reshape.ts'
import { info as rollInfo } from '../roll.ts'
import { info as roundInfo } from '../round.ts'
import { info as rsqrtInfo } from '../rsqrt.ts'
import { info as scaledDotProductAttentionInfo } from '../scaled-dot-product-attention.ts'
import { info as seluInfo } from '../selu.ts'
import { info as sigmoidCrossEntropyInfo } from '../sigmoid-cross-entropy.ts'
import { info as sigmoidInfo } from '../sigmoid.ts'
import { info as signInfo } from '../sign.ts'
import { info as siluInfo } from '../silu.ts'
import { info as sinInfo } from '../sin.ts'
import { info as sinhInfo } from '../sinh.ts'
import { info as sliceInfo } from '../slice.ts'
import { info as softmaxCrossEntropyInfo } from '../softmax-cross-entropy.ts'
import { info as softmaxInfo } from '../softmax.ts'
import { info as softplusInfo } from '../softplus.ts'
import { info as softsignInfo } from '../softsign.ts'
import { info as sortInfo } from '../sort.ts'
import { info as sqrtInfo } from '../sqrt.ts'
import { info as squareInfo } from '../square.ts'
import { info as stdInfo } from '../std.ts'
import { info as stepInfo } from '../step.ts'
import { info as stopGradientInfo } from '../stop-gradient.ts'
import { info as subInfo } from '../sub.ts'
import { info as sumInfo } from '../sum.ts'
import { info as takeAlongAxisInfo } from '../take-along-axis.ts'
import { info as tanInfo } from '../tan.ts'
import { info as tanhInfo } from '../tanh.ts'
import { info as traceInfo } from '../trace.ts'
import { info as transposeInfo } from '../transpose.ts'
import { info as triuInfo } from '../triu.ts'
import { info as truncInfo } from '../trunc.ts'
import { info as varianceInfo } from '../variance.ts'
import { info as whereInfo } from '../where.ts'

/** Every operation of the package: the rows of the property tests, of the documentation table and of the benchmarks. */
export const operations: readonly OperationInfo[] = [
  ...absInfo,
  ...acosInfo,
  ...acoshInfo,
  ...addInfo,
  ...allInfo,
  ...anyInfo,
  ...argMaxInfo,
  ...argMinInfo,
  ...asinInfo,
  ...asinhInfo,
  ...atanInfo,
  ...atan2Info,
  ...atanhInfo,
  ...avgPool2dInfo,
  ...batchNormInfo,
  ...cbrtInfo,
  ...ceilInfo,
  ...clipInfo,
  ...concatInfo,
  ...conv2dInfo,
  ...cumProdInfo,
  ...cumSumInfo,
  ...diagInfo,
  ...divInfo,
  ...dotInfo,
  ...einsumInfo,
  ...eluInfo,
  ...equalInfo,
  ...erfInfo,
  ...expInfo,
  ...expm1Info,
  ...flipInfo,
  ...floorInfo,
  ...gatherInfo,
  ...geluTanhInfo,
  ...geluInfo,
  ...greaterEqualInfo,
  ...greaterInfo,
  ...hardSigmoidInfo,
  ...hardTanhInfo,
  ...hypotInfo,
  ...isFiniteInfo,
  ...isNanInfo,
  ...layerNormInfo,
  ...leakyReluInfo,
  ...lessEqualInfo,
  ...lessInfo,
  ...linearRecurrenceInfo,
  ...linearInfo,
  ...logAddExpInfo,
  ...logSoftmaxInfo,
  ...logSumExpInfo,
  ...logInfo,
  ...log1pInfo,
  ...log2Info,
  ...logicalAndInfo,
  ...logicalNotInfo,
  ...logicalOrInfo,
  ...logicalXorInfo,
  ...matmulInfo,
  ...maxPool2dInfo,
  ...maxInfo,
  ...maximumInfo,
  ...meanInfo,
  ...minInfo,
  ...minimumInfo,
  ...mishInfo,
  ...modInfo,
  ...mulInfo,
  ...negInfo,
  ...normInfo,
  ...notEqualInfo,
  ...oneHotInfo,
  ...padInfo,
  ...powInfo,
  ...prodInfo,
  ...reciprocalInfo,
  ...reluInfo,
  ...relu6Info,
  ...reshapeInfo,
  ...rollInfo,
  ...roundInfo,
  ...rsqrtInfo,
  ...scaledDotProductAttentionInfo,
  ...seluInfo,
  ...sigmoidCrossEntropyInfo,
  ...sigmoidInfo,
  ...signInfo,
  ...siluInfo,
  ...sinInfo,
  ...sinhInfo,
  ...sliceInfo,
  ...softmaxCrossEntropyInfo,
  ...softmaxInfo,
  ...softplusInfo,
  ...softsignInfo,
  ...sortInfo,
  ...sqrtInfo,
  ...squareInfo,
  ...stdInfo,
  ...stepInfo,
  ...stopGradientInfo,
  ...subInfo,
  ...sumInfo,
  ...takeAlongAxisInfo,
  ...tanInfo,
  ...tanhInfo,
  ...traceInfo,
  ...transposeInfo,
  ...triuInfo,
  ...truncInfo,
  ...varianceInfo,
  ...whereInfo,
]
