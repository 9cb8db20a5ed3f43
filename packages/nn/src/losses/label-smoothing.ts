import { failRange } from '@tapeflow/autodiff'

/** Checks how much of a target is spread over all classes. */
export function checkLabelSmoothing(operation: string, smoothing: number): void {
  if (smoothing >= 0 && smoothing <= 1) return
  failRange(operation, `labelSmoothing must be between 0 and 1, got ${String(smoothing)}`)
}
