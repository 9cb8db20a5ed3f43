export { convolve } from './conv/convolve'
export { filterGradient } from './conv/filter-gradient'
export { matmul } from './matmul'
