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
export { gather, oneHot, scatterAdd } from './gather'
export { layerNorm, layerNormGradient } from './layer-norm'
export { matmul, matmulScratch } from './matmul'
export { argMax, reduceMax } from './reduce-max'
export { reduceSum } from './reduce-sum'
export { logSoftmax, logSumExp, softmax } from './softmax'
export { randomBits } from './threefry'
