import { failRange, failType, kindOf, type Tensor } from '@tapeflow/autodiff'
import type { Metric } from '@tapeflow/nn'
import { named, type Values } from './objective.ts'

/** What `fit` measures: metrics of a model's one output, or those of each output by its name. */
export type Metrics = readonly Metric[] | { readonly [output: string]: readonly Metric[] }

/** A metric of what a model gives, one tensor or several by name. */
export interface OutputMetric extends Pick<Metric, 'name' | 'init' | 'result'> {
  update(state: unknown, prediction: Values, target: Values, weights?: Tensor): unknown
}

/**
 * All metrics in one list. Those of an output have its name before theirs: `mean.meanSquaredError`.
 *
 * @throws TypeError for a measure that does not come to a number, RangeError where two have one name
 */
export function metricList(metrics: Metrics = []): readonly OutputMetric[] {
  const list = isList(metrics)
    ? metrics.map((metric) => ofOutput(metric, null))
    : Object.entries(metrics).flatMap(([output, own]) => own.map((metric) => ofOutput(metric, output)))
  for (const metric of list) {
    const value: unknown = metric.result(metric.init())
    if (typeof value === 'number') continue
    failType(
      'fit',
      `metrics must be measures of one number, but ${metric.name} comes to ${kindOf(value)}`,
      'measure it beside the run, on the result',
    )
  }
  const names = list.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) failRange('fit', `two metrics are named '${twice}'`, 'give them different names')
  return list
}

function isList(metrics: Metrics): metrics is readonly Metric[] {
  return Array.isArray(metrics)
}

function ofOutput(metric: Metric, output: string | null): OutputMetric {
  return {
    name: output === null ? metric.name : `${output}.${metric.name}`,
    init: () => metric.init(),
    result: (state) => metric.result(state),
    update: (state, prediction, target, weights) => {
      const name = output ?? ''
      const [one, wanted] = [named(prediction, name), named(target, name)]
      if (one === undefined || wanted === undefined) {
        const there = Object.keys(prediction).join(', ')
        failRange(
          'fit',
          `the model gives ${there}, but ${metric.name} was passed for ${output ?? 'its one output'}`,
          `pass metrics: { ${Object.keys(prediction)[0]}: […] }`,
        )
      }
      return metric.update(state, one, wanted, weights)
    },
  }
}
