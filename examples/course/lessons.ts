import { batchNormStabilizes } from './batch-norm.ts'
import { constantInitialization } from './constant-initialization.ts'
import { depthAndOverfitting } from './depth.ts'
import { dropoutExpectation } from './dropout.ts'
import { dyingRelu } from './dying-relu.ts'

import { fiveCures } from './five-cures.ts'
import { gradientSigns } from './gradient-signs.ts'
import { initializationScale } from './initialization-scale.ts'
import { learnedFeatures } from './learned-features.ts'
import type { Lesson } from './lesson.ts'
import { linearCollapse } from './linear-collapse.ts'

import { batches } from './optimizers/batches.ts'
import { ewmaAndBeta } from './optimizers/ewma.ts'
import { largeBatch } from './optimizers/large-batch.ts'
import { noiseLeavesABasin } from './optimizers/noise.ts'
import { plateaus } from './optimizers/plateau.ts'
import { sparseFeatures } from './optimizers/sparse-features.ts'
import { trajectories } from './optimizers/trajectories.ts'
import { tunedRate } from './optimizers/tuned-rate.ts'
import { twoBasins } from './optimizers/two-basins.ts'
import { vanishingRate } from './optimizers/vanishing-rate.ts'
import { outliers } from './outliers.ts'
import { preservedVariance } from './preserved-variance.ts'
import { sigmoidQuarter } from './sigmoid-quarter.ts'
import { zeroInitialization } from './zero-initialization.ts'

/** The lessons by the name of their file and picture, in the order of the course. */
export const lessons: Readonly<Record<string, () => Lesson>> = {
  'linear-collapse': linearCollapse,
  'learned-features': learnedFeatures,
  'sigmoid-quarter': sigmoidQuarter,
  'gradient-signs': gradientSigns,
  'dying-relu': dyingRelu,

  'five-cures': fiveCures,
  'constant-initialization': constantInitialization,
  'zero-initialization': zeroInitialization,
  'initialization-scale': initializationScale,
  'preserved-variance': preservedVariance,
  'batch-norm': batchNormStabilizes,
  dropout: dropoutExpectation,

  outliers,
  depth: depthAndOverfitting,

  'optimizers/ewma': ewmaAndBeta,
  'optimizers/trajectories': trajectories,
  'optimizers/two-basins': twoBasins,
  'optimizers/sparse-features': sparseFeatures,
  'optimizers/vanishing-rate': vanishingRate,
  'optimizers/batches': batches,
  'optimizers/noise': noiseLeavesABasin,
  'optimizers/large-batch': largeBatch,
  'optimizers/plateau': plateaus,
  'optimizers/tuned-rate': tunedRate,
}
