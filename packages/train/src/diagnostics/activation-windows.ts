import { failRange } from '@tapeflow/autodiff'
import type { OperatorFunction } from 'rxjs'
import type { DiagnosticEvent, TrainEvent } from '../events.ts'
import { requireCounts } from '../require-numbers.ts'
import { parseWatch } from '../watch.ts'
import { diagnose, type Finding } from './diagnose.ts'
import { layerOf } from './layer-norms.ts'

/** Which activations are looked at, and how often. */
export interface ActivationOptions {
  /** A pattern of layer paths, as after `activations:` in `watch`: `layers.*`; all that are watched by default. */
  readonly layers?: string
  /**
   * Activations are read of the steps whose number it divides; 10 by default. Where it and the number of batches of an epoch have a
   * common divisor, and the data is in one order, some batches are never seen, or all but one: take a number without, such as 7.
   */
  readonly every?: number
  /** So many looks are taken together, before the next so many; 10 by default. */
  readonly window?: number
}

/** What is summed up over a window, and what it comes to. */
export interface ActivationSums<Sums> {
  /** Whether outputs count only as inputs: those that no layer with parameters comes after are left out. */
  readonly asInputs?: boolean
  /** @param units how many units a layer has: the size of its output's last axis */
  readonly begin: (units: number) => Sums
  /** Takes in the output of one step: as many rows of `units` numbers as there are. */
  readonly add: (sums: Sums, values: Float32Array, units: number) => void
  /** Nothing where it cannot be told. */
  readonly judge: (path: string, sums: Sums, before: Sums | undefined) => Omit<Finding, 'path'> | undefined
}

interface LayerWindow<Sums> {
  sums: Sums
  before: Sums | undefined
  looks: number
}

/** An operator that sums up the outputs of layers over windows of steps, one after the other, and judges each. */
export function activationWindows<Sums>(
  name: string,
  { layers = '**', every = 10, window = 10 }: ActivationOptions,
  { asInputs = false, begin, add, judge }: ActivationSums<Sums>,
): OperatorFunction<TrainEvent, DiagnosticEvent> {
  requireCounts(name, { every, window })
  const matches = parseWatch([`activations:${layers}`]).activations!
  return diagnose({
    name,
    looksAt: ['step'],
    isDue: (step) => step % every === 0,
    calm: 2,
    begin: (run) => {
      const windows = new Map<string, LayerWindow<Sums>>()
      return ({ activations }) => {
        const outputs = Object.entries(activations.tree).filter(([path]) => matches(path))
        if (outputs.length === 0) failNothing(name, layers, Object.keys(activations.tree))
        return outputs.flatMap(([path, output]) => {
          if (asInputs && !isRead(path, run.parameters?.at(-1))) return []
          const units = output.shape.at(-1) ?? 1
          const of = windows.get(path) ?? { sums: begin(units), before: undefined, looks: 0 }
          windows.set(path, of)
          add(of.sums, output.toFloat32Array(), units)
          of.looks++
          if (of.looks < window) return []
          const finding = judge(path, of.sums, of.before)
          windows.set(path, { sums: begin(units), before: of.sums, looks: 0 })
          return finding === undefined ? [] : [{ ...finding, path }]
        })
      }
    },
  })
}

/** Whether the layer of the last parameter comes after this one; where it is not known it may. */
function isRead(path: string, last: string | undefined): boolean {
  if (last === undefined) return true
  const own = path.split('.')
  const others = layerOf(last).split('.')
  const fork = own.findIndex((part, i) => part !== others[i])
  // It is that layer, or around it, or within.
  if (fork < 0 || fork >= others.length) return false
  return !(Number(own[fork]) > Number(others[fork]))
}

function failNothing(name: string, layers: string, watched: readonly string[]): never {
  failRange(
    name,
    `no watched activation matches '${layers}'`,
    watched.length === 0 ? 'the model has no layers inside' : `use one of ${watched.join(', ')}`,
  )
}
