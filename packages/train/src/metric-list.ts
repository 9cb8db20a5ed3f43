import { failRange, failType, kindOf, type Tensor } from '@tapeflow/autodiff'
import type { Measure, Metric } from '@tapeflow/nn'
import { failureOf } from './failure.ts'
import { isTaken } from './measures.ts'
import { named, type Values } from './objective.ts'

/** What `fit` measures: metrics of a model's one output, or those of each output by its name. */
export type Metrics = readonly Metric[] | { readonly [output: string]: readonly Metric[] }

/** Measures of a model's one output, or those of each output by its name. */
export type Measuring<R = unknown> =
  | readonly Measure<unknown, R>[]
  | { readonly [output: string]: readonly Measure<unknown, R>[] }

/** A measure of what a model gives, one tensor or several by name. */
export interface OutputMeasure<R = unknown> extends Pick<Measure<unknown, R>, 'name' | 'init' | 'result'> {
  update(state: unknown, prediction: Values, target: Values, weights?: Tensor): unknown
}

/** One that comes to a number. */
export type OutputMetric = OutputMeasure<number>

/**
 * All measures in one list. Those of an output have its name before theirs: `mean.meanSquaredError`.
 *
 * @throws RangeError where two have one name
 */
export function measureList<R>(operation: string, measures: Measuring<R>): readonly OutputMeasure<R>[] {
  const list = isList(measures)
    ? measures.map((measure) => ofOutput(operation, measure, null))
    : Object.entries(measures).flatMap(([output, own]) =>
        own.map((measure) => ofOutput(operation, measure, output)),
      )
  const names = list.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined)
    failRange(operation, `two metrics are named '${twice}'`, 'give them different names')
  return list
}

/**
 * All metrics in one list, as `measureList` names them.
 *
 * @throws TypeError for a measure that does not come to a number, RangeError where two have one name, or one has that of another number
 * of the run: columns, tags and what callbacks monitor go by names
 */
export function metricList(metrics: Metrics = []): readonly OutputMetric[] {
  const list = measureList<number>('fit', metrics)
  for (const metric of list) {
    if (isTaken(metric.name)) {
      failRange(
        'fit',
        `no metric can be named '${metric.name}', as other numbers of a run are`,
        "pass { ...metric, name: 'another' }, or name the output otherwise",
      )
    }
    const value: unknown = metric.result(metric.init())
    if (typeof value === 'number') continue
    failType(
      'fit',
      `metrics must be measures of one number, but ${metric.name} comes to ${kindOf(value)}`,
      'measure it beside the run, on the result',
    )
  }
  return list
}

function isList<R>(measures: Measuring<R>): measures is readonly Measure<unknown, R>[] {
  return Array.isArray(measures)
}

function ofOutput<R>(
  operation: string,
  metric: Measure<unknown, R>,
  output: string | null,
): OutputMeasure<R> {
  const name = output === null ? metric.name : `${output}.${metric.name}`
  const failed = (cause: unknown): Error => failureOf(`metric '${name}'`, cause, operation)
  return {
    name,
    init: () => metric.init(),
    result: (state) => {
      try {
        return metric.result(state)
      } catch (cause) {
        throw failed(cause)
      }
    },
    update: (state, prediction, target, weights) => {
      const at = output ?? ''
      const [one, wanted] = [named(prediction, at), named(target, at)]
      if (one === undefined || wanted === undefined) {
        const there = Object.keys(prediction).join(', ')
        failRange(
          'fit',
          `the model gives ${there}, but ${metric.name} was passed for ${output ?? 'its one output'}`,
          `pass metrics: { ${Object.keys(prediction)[0]}: […] }`,
        )
      }
      try {
        return metric.update(state, one, wanted, weights)
      } catch (cause) {
        throw failed(cause)
      }
    },
  }
}
