export type { Batches, BatchSource, Field, TrainBatch } from './batch.ts'
export type { Callback, CallbackInfo } from './callbacks/callback.ts'
export { type CheckpointEveryOptions, checkpointEvery } from './callbacks/checkpoint-every.ts'
export { type EarlyStoppingOptions, earlyStopping } from './callbacks/early-stopping.ts'
export { type KeepBestOptions, keepBest } from './callbacks/keep-best.ts'
export {
  type LrFinder,
  type LrFinderOptions,
  lrFinder,
  type RatePoint,
  type RateRange,
} from './callbacks/lr-finder.ts'
export { type LrWarmupOptions, lrWarmup } from './callbacks/lr-warmup.ts'
export type { MonitorName, MonitorOptions } from './callbacks/monitored.ts'
export { type ReduceLROnPlateauOptions, reduceLROnPlateau } from './callbacks/reduce-lr-on-plateau.ts'
export {
  type StochasticWeightAveragingOptions,
  stochasticWeightAveraging,
} from './callbacks/stochastic-weight-averaging.ts'
export { type SwapEmaOptions, swapEma } from './callbacks/swap-ema.ts'
export { type TargetReachedOptions, targetReached } from './callbacks/target-reached.ts'
export { type TerminateOnNaNOptions, terminateOnNaN } from './callbacks/terminate-on-nan.ts'
export { type TimeLimitOptions, timeLimit } from './callbacks/time-limit.ts'
export { type UnfreezeAtOptions, unfreezeAt } from './callbacks/unfreeze-at.ts'
export { CheckpointError, type CheckpointProblem } from './checkpoint/checkpoint-error.ts'
export type { CheckpointFile } from './checkpoint/file-name.ts'
export type { Files } from './checkpoint/files.ts'
export { fromCheckpoint } from './checkpoint/from-checkpoint.ts'
export { type CheckpointStore, type StoreOptions, storeOf } from './checkpoint/store-of.ts'
export { toCheckpoint } from './checkpoint/to-checkpoint.ts'
export type { TrainCommand } from './commands.ts'
export { type ActivationMeanOptions, activationMean } from './diagnostics/activation-mean.ts'
export type { ActivationOptions } from './diagnostics/activation-windows.ts'
export {
  type CovariateShift,
  type CovariateShiftOptions,
  covariateShift,
  type FeatureShift,
} from './diagnostics/covariate-shift.ts'
export { type DatasetSizeOptions, datasetSize } from './diagnostics/dataset-size.ts'
export { type DeadReLUOptions, deadReLU } from './diagnostics/dead-relu.ts'
export { diagnostics } from './diagnostics/diagnostics.ts'
export { explodingGradient } from './diagnostics/exploding-gradient.ts'
export type { GradientRatioOptions } from './diagnostics/gradient-ratio.ts'
export {
  type InternalCovariateShiftOptions,
  internalCovariateShift,
} from './diagnostics/internal-covariate-shift.ts'
export { type LossSpikeOptions, lossSpike } from './diagnostics/loss-spike.ts'
export { type OverfittingOptions, overfitting } from './diagnostics/overfitting.ts'
export { type PlateauOptions, plateau } from './diagnostics/plateau.ts'
export { type SaturationOptions, saturation } from './diagnostics/saturation.ts'
export { type UpdateRatioOptions, updateRatio } from './diagnostics/update-ratio.ts'
export { vanishingGradient } from './diagnostics/vanishing-gradient.ts'
export { type EvaluateOptions, type Evaluation, evaluate, type ResultsOf } from './evaluate.ts'
export type {
  CheckpointEvent,
  CommandEvent,
  DiagnosticEvent,
  EndEvent,
  EpochEvent,
  EpochRecord,
  FinishingEvent,
  Measures,
  MetricValues,
  Resumed,
  RunInfo,
  StartEvent,
  StepEvent,
  TrainEvent,
  ValidationEvent,
} from './events.ts'
export { fit } from './fit.ts'
export { fitInWorker } from './fit-in-worker.ts'
export { historyCsv, historyTable } from './history.ts'
export { type HistoryPlotOptions, historyPlot } from './history-plot.ts'
export type { Measuring, Metrics } from './metric-list.ts'
export type { ModelWeights } from './model-weights.ts'
export type { Log, Monitor } from './monitors/guard.ts'
export type { Objective, Values, WeightedLoss } from './objective.ts'
export type { TensorRecord } from './operators/at-path.ts'
export { gradients } from './operators/gradients.ts'
export { losses } from './operators/losses.ts'
export { weights } from './operators/weights.ts'
export type { FitOptions, StepOptions, ValidateEvery } from './options.ts'
export type { Pace } from './pace.ts'
export type { PassOptions } from './passes.ts'
export { type Input, type PredictingModel, type Prediction, type PredictOptions, predict } from './predict.ts'
export { type PredictAllOptions, predictAll } from './predict-all.ts'
export { type RunResult, result } from './result.ts'
export type { Kept } from './run-state.ts'
export { serveFit } from './serve-fit.ts'
export type { LossRecord } from './showing.ts'
export type { ParametersSnapshot, RunSnapshot } from './snapshots.ts'
export type { Carry, Model, NamedModel } from './step.ts'
export type { Store, StoreHolder } from './store.ts'
export type { TimeTravelOptions } from './time-travel.ts'
export { type LoopOptions, type LoopStepOptions, trainLoop } from './train-loop.ts'
export type { BatchTensors, StepContext, TrainStep, TrainStepResult } from './train-step.ts'
export type { WatchName } from './watch.ts'
export { StaleSnapshotError, type Watched } from './watched.ts'
export type { FitInWorkerOptions } from './worker/asked.ts'
export type { EventsOf, FitArguments, Recipe } from './worker/recipe.ts'
export type { TravelName } from './worker/travel.ts'
