import { Key, type Snapshot, Tensor, toSnapshot } from '@tapeflow/autodiff'
import type { StepEvent, TrainEvent } from '../events.ts'
import { requireMatches } from '../watch.ts'
import { columnCount, columns, rowWidth, type StepNames, stepNames } from './columns.ts'
import { keyToWords, mapCommand, mapRun } from './copied-tree.ts'
import type { EventBatch, OtherEvent, ShownStep } from './messages.ts'
import type { Travel, Travels } from './travel.ts'

/** Collects events, and hands them over as plain data. */
export interface Packing {
  /** How many there are. */
  readonly size: number
  add(event: TrainEvent): void
  /** Everything since the last time, with the buffers that may be given away. */
  take(): { readonly batch: EventBatch; readonly transfer: readonly ArrayBuffer[] }
}

/** Packs the events of one run. Steps are rows of numbers in one array: a tiny model makes 100,000 a second. */
export function packing(travel: Travel): Packing {
  let names: StepNames = { losses: [], metrics: [] }
  let width = rowWidth(names, travel.gradientNorm)
  let numbers = new Float64Array(256 * width)
  let rows = 0
  let others: OtherEvent[] = []
  let shown: ShownStep[] = []
  let transfer: ArrayBuffer[] = []

  const copy = (tree: unknown, travels: Travels): unknown =>
    travels === null ? undefined : copiedWhere(tree, travels, transfer)

  const addStep = (event: StepEvent): void => {
    const at = rows * width
    if (at + width > numbers.length) {
      const longer = new Float64Array(2 * numbers.length)
      longer.set(numbers)
      numbers = longer
    }
    writeNumbers(numbers, at, event)
    const { losses, metrics } = names
    const afterLosses = at + columnCount + losses.length
    for (let i = 0; i < losses.length; i++) numbers[at + columnCount + i] = event.losses[losses[i]!]!
    for (let i = 0; i < metrics.length; i++) numbers[afterLosses + i] = event.metrics[metrics[i]!]!
    if (travel.gradientNorm) numbers[at + width - 1] = event.gradientNorm
    // A training step of one's own names its losses only now.
    const own = losses.length === 0 && Object.keys(event.losses).length > 0 ? event.losses : undefined
    const tensors = event.step % travel.every === 0 ? tensorsOf(event) : null
    if (own !== undefined || tensors !== null) shown.push({ at: rows, ...tensors, losses: own })
    rows++
  }
  const tensorsOf = (event: StepEvent): Omit<ShownStep, 'at' | 'losses'> | null => {
    const { weights, gradients, activations } = travel
    if (weights === null && gradients === null && activations === null) return null
    return {
      weights: weights && copy(event.weights.tree, weights),
      gradients: gradients && copy(event.gradients.tree, gradients),
      activations: activations && copy(event.activations.tree, activations),
    }
  }
  const addOther = (event: Exclude<TrainEvent, StepEvent>): void => {
    if (event.type === 'start') {
      const paths = Object.keys(event.info.parameters)
      for (const what of ['weights', 'gradients']) requireMatches('fitInWorker', travel.names, what, paths)
      names = stepNames(event.info)
      width = rowWidth(names, travel.gradientNorm)
    }
    const shows = 'weights' in event
    others.push({
      at: rows,
      fields: fieldsOf(event),
      shows,
      ...(shows && { weights: copy(event.weights.tree, travel.weights) }),
    })
  }
  const fieldsOf = (event: Exclude<TrainEvent, StepEvent>): OtherEvent['fields'] => {
    if (event.type === 'end') return { ...event, result: mapRun(event.result, keyToWords) }
    if (event.type === 'command') return { ...event, command: mapCommand(event.command, keyToWords) }
    if (event.type !== 'checkpoint') return { ...event }
    const { type, step, epoch } = event
    const fields = { type, step, epoch }
    // Its snapshot is copied where it is looked at.
    return travel.checkpoints ? { ...fields, snapshot: mapRun(event.snapshot, keyToWords) } : fields
  }
  return {
    get size() {
      return rows + others.length
    },
    add: (event) => (event.type === 'step' ? addStep(event) : addOther(event)),
    take() {
      const steps = numbers.slice(0, rows * width)
      const taken = { batch: { steps, others, shown }, transfer: [steps.buffer, ...transfer] }
      rows = 0
      others = []
      shown = []
      transfer = []
      return taken
    },
  }
}

function writeNumbers(into: Float64Array, at: number, event: StepEvent): void {
  into[at + columns.step] = event.step
  into[at + columns.epoch] = event.epoch
  into[at + columns.batch] = event.batch
  into[at + columns.rows] = event.rows
  into[at + columns.loss] = event.loss
  into[at + columns.penalty] = event.penalty
  into[at + columns.runningLoss] = event.runningLoss
  into[at + columns.learningRate] = event.learningRate
  into[at + columns.seconds] = event.seconds
  into[at + columns.samplesPerSecond] = event.samplesPerSecond
}

/**
 * A tree with `{ shape, values }` in the place of each tensor that travels, null in the place of one that does not.
 *
 * @param transfer gets the buffers, which are nobody else's
 */
function copiedWhere(
  tree: unknown,
  travels: (path: string) => boolean,
  transfer: ArrayBuffer[],
  path = '',
): unknown {
  if (tree instanceof Tensor) {
    if (!travels(path)) return null
    const snapshot: Snapshot = toSnapshot(tree)
    transfer.push(snapshot.values.buffer)
    return snapshot
  }
  if (tree instanceof Key) return keyToWords(tree)
  const within = (key: string | number): string => (path === '' ? `${key}` : `${path}.${key}`)
  if (Array.isArray(tree)) return tree.map((inner, i) => copiedWhere(inner, travels, transfer, within(i)))
  if (typeof tree !== 'object' || tree === null) return tree
  return Object.fromEntries(
    Object.entries(tree).map(([key, inner]) => [key, copiedWhere(inner, travels, transfer, within(key))]),
  )
}
