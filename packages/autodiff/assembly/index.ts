export { along } from './along'
export { maskedSoftmax, softmaxGradient } from './attention'
export { batchNorm, batchNormGradient } from './batch-norm'
export { fill, stridedCopy } from './copy'
export {
  crossEntropy,
  crossEntropyGradient,
  labelCrossEntropy,
  labelCrossEntropyGradient,
  targetGradient,
} from './cross-entropy'
export { firstBad, gather, oneHot, scatterAdd } from './gather'
export { layerNorm, layerNormGradient } from './layer-norm'
export { matmul, matmulScratch } from './matmul'
export { prefix } from './prefix'
export { reduceProduct, reduceSquares } from './reduce-double'
export { argMax, reduceMax } from './reduce-max'
export { reduceSum } from './reduce-sum'
export { argSort, argSortScratch } from './sort'
export { logSoftmax, logSumExp, softmax, softmaxColumns } from './softmax'
export { randomBits } from './threefry'
