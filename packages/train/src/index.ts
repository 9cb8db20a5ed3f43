export type { BatchSource, TrainBatch } from './batch.ts'
export type { Callback, CallbackInfo } from './callbacks/callback.ts'
export { type EarlyStoppingOptions, earlyStopping } from './callbacks/early-stopping.ts'
export { type LrWarmupOptions, lrWarmup } from './callbacks/lr-warmup.ts'
export type { TrainCommand } from './commands.ts'
export type {
  CheckpointEvent,
  CommandEvent,
  EndEvent,
  EpochEvent,
  EpochRecord,
  FinishingEvent,
  MetricValues,
  RunInfo,
  StartEvent,
  StepEvent,
  TrainEvent,
  ValidationEvent,
} from './events.ts'
export { fit } from './fit.ts'
export { historyCsv, historyTable } from './history.ts'
export { type HistoryPlotOptions, historyPlot } from './history-plot.ts'
export type { Log, Monitor } from './monitors/guard.ts'
export type { TensorRecord } from './operators/at-path.ts'
export { gradients } from './operators/gradients.ts'
export { type LossRecord, losses } from './operators/losses.ts'
export { weights } from './operators/weights.ts'
export type { FitOptions } from './options.ts'
export type { Pace } from './pace.ts'
export { type RunResult, result } from './result.ts'
export type { Kept } from './run-state.ts'
export type { ParametersSnapshot, RunSnapshot } from './snapshots.ts'
export type { Model } from './step.ts'
export type { WatchName } from './watch.ts'
export { StaleSnapshotError, type Watched } from './watched.ts'
