export { convolve, convolveScratch } from './conv/convolve'
export { filterGradient, filterGradientScratch } from './conv/filter-gradient'
export { packFilter } from './conv/pack'
export { averagePool, maxPool, maxPoolPlaces } from './conv/pool'
