import { failRange, failType } from '@tapeflow/autodiff'
import { requireEnd } from './batch.ts'
import type { FitOptions, GivenOptions, RunOptions } from './options.ts'
import { parseWatch } from './watch.ts'

/**
 * Checks whether options go together, each of which is right by itself.
 *
 * @throws RangeError or TypeError where they do not
 */
export function checkTogether<P, S>(options: RunOptions<P, S>): void {
  if ((options.epochs === undefined) === (options.steps === undefined)) {
    const got = options.epochs === undefined ? 'neither' : 'both'
    failRange('fit', `epochs or steps must be given, got ${got}`, 'pass epochs: 10')
  }
  checkLoss(options)
  checkPasses(options)
  checkMode(options)
}

/** Whether the steps of a run are programs. */
export function isCompiled({ compile, optimizer }: Pick<FitOptions, 'compile' | 'optimizer'>): boolean {
  return compile ?? optimizer.eager !== true
}

function checkLoss<P, S>({
  loss,
  trainStep,
  validation,
  evaluateTraining,
  regularizers,
  watch,
}: GivenOptions<P, S>): void {
  if (trainStep === undefined) {
    if (loss === undefined)
      failType('fit', 'loss must be a function, got undefined', 'pass loss: mse(), or a trainStep')
    return
  }
  if (loss === undefined && (validation !== undefined || evaluateTraining === true)) {
    failType('fit', 'validation needs a loss, which trainStep does not give it', 'pass loss: mse()')
  }
  if (regularizers !== undefined) {
    failRange('fit', 'regularizers were given with a trainStep', 'add the penalty to the loss of the step')
  }
  if (parseWatch(watch).activations !== null) {
    failRange('fit', 'activations cannot be watched with a trainStep', "leave 'activations' out of watch")
  }
}

function checkPasses({
  data,
  validation,
  validateEvery,
  evaluateTraining,
  timeTravel,
}: Pick<
  RunOptions<unknown, unknown>,
  'data' | 'validation' | 'validateEvery' | 'evaluateTraining' | 'timeTravel'
>): void {
  const again =
    evaluateTraining === true ? 'evaluateTraining' : timeTravel === undefined ? null : 'timeTravel'
  if (again !== null && data.live === true) {
    failRange('fit', `${again} reads the data again, which a live source does not allow`, 'leave it out')
  }
  if (validation !== undefined) requireEnd('fit', 'validation', validation)
  if (evaluateTraining === true) requireEnd('fit', 'data with evaluateTraining', data)
  if (validateEvery === undefined) return
  if (validation === undefined)
    failRange('fit', 'validateEvery was given without validation', 'pass validation too')
  const { epochs = 1 } = validateEvery
  if (epochs >= 1 || Number.isFinite(data.length)) return
  failRange(
    'fit',
    `parts of an epoch need data of known length, got validateEvery: { epochs: ${epochs} }`,
    'pass validateEvery: { steps: 500 }',
  )
}

function checkMode(options: Omit<GivenOptions<unknown, unknown>, 'trainStep'>): void {
  const { compile, numerics, optimizer } = options
  if (compile === true && optimizer.eager === true) {
    failRange(
      'fit',
      `${optimizer.name} reads values while it decides, so that its steps cannot be compiled, got compile: true`,
      'leave compile out',
    )
  }
  if (isCompiled(options) || numerics === undefined) return
  const got = compile === false ? 'compile: false' : `${optimizer.name}, whose steps are eager`
  failRange('fit', `eager steps are always strict, got numerics and ${got}`, 'leave one of them out')
}
