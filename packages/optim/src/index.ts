export { chain } from './chain.ts'
export { type Machine, type MachineOptions, machine } from './machine.ts'
export type { Control, Evaluate, Hyper, Optimizer, Schedule, Slots, Updated } from './optimizer.ts'
export {
  type AdadeltaOptions,
  adadelta,
  type ScaleByAdadeltaOptions,
  scaleByAdadelta,
} from './optimizers/adadelta.ts'
export {
  type AdagradOptions,
  adagrad,
  type ScaleByAdagradOptions,
  scaleByAdagrad,
} from './optimizers/adagrad.ts'
export { type AdamOptions, adam, type ScaleByAdamOptions, scaleByAdam } from './optimizers/adam.ts'
export { type AdamaxOptions, adamax, type ScaleByAdamaxOptions, scaleByAdamax } from './optimizers/adamax.ts'
export { type AdamwOptions, adamw } from './optimizers/adamw.ts'
export { amsgrad, scaleByAmsgrad } from './optimizers/amsgrad.ts'
export { type MomentumOptions, momentum, type VelocityOptions } from './optimizers/momentum.ts'
export { type NadamOptions, nadam, type ScaleByNadamOptions, scaleByNadam } from './optimizers/nadam.ts'
export { nesterov } from './optimizers/nesterov.ts'
export { type RadamOptions, radam, type ScaleByRadamOptions, scaleByRadam } from './optimizers/radam.ts'
export { type RmspropOptions, rmsprop, type ScaleByRmsOptions, scaleByRms } from './optimizers/rmsprop.ts'
export { type SgdOptions, sgd } from './optimizers/sgd.ts'
export { type Phase, type PhaseEvent, phases, phaseTable } from './phases.ts'
export { constant } from './schedules/constant.ts'
export { type CosineDecayOptions, cosineDecay } from './schedules/cosine-decay.ts'
export { join } from './schedules/join.ts'
export { type WarmupOptions, warmup } from './schedules/warmup.ts'
export type { Transform, Transformed } from './transform.ts'
export { clipByGlobalNorm } from './transforms/clip-by-global-norm.ts'
export { type DescendOptions, descend } from './transforms/descend.ts'
export { type MachineEvent, type MachineState, type Transition, transition } from './transition.ts'
