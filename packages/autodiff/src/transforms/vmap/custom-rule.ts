import { apply } from '../../apply.ts'
import { unpacked } from '../../fused.ts'
import type { Operation } from '../../operation.ts'
import { concat } from '../../ops/concat.ts'
import { reshape } from '../../ops/reshape.ts'
import { slice } from '../../ops/slice.ts'
import { broadcastTo, sum } from '../../ops/sum.ts'
import { type Shape, sizeOf } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import { inScope } from '../../tree.ts'
import type { CustomVjp } from '../custom-vjp.ts'
import { type BatchingRule, mapExamples, type RuleOf } from './map-examples.ts'

/** A value of all examples, tied to the inputs by the rule of one example, which is mapped over them itself. */
export function customRule(operation: Operation, ruleOf: RuleOf): BatchingRule {
  return ([value, ...given], attributes, isBatched, size) => {
    const custom = attributes as CustomVjp
    const shapes = custom.shapes.map((shape) => [size, ...shape])
    const all = isBatched[0] ? value! : broadcastTo(value!, [size, ...value!.shape])
    const mapped: CustomVjp = {
      ...custom,
      shapes,
      rule: mappedRule(custom, isBatched.slice(1), size, ruleOf),
    }
    return unpacked(apply(operation, [packed(all, custom.shapes), ...given], mapped), shapes)
  }
}

// Each value of all examples behind the one before, as those of one example lie in what is packed.
function packed(all: Tensor, shapes: readonly Shape[]): Tensor {
  if (shapes.length === 1) return all
  let end = 0
  return concat(
    shapes.map((shape) => {
      const first = end
      end += sizeOf(shape)
      const part = slice(all, [0, first], [all.shape[0]!, end])
      return reshape(part, [part.size])
    }),
  )
}

function mappedRule(
  { rule }: CustomVjp,
  isBatched: readonly boolean[],
  size: number,
  ruleOf: RuleOf,
): CustomVjp['rule'] {
  return (cotangents, values, inputs, keys) =>
    inScope((scope) => {
      const count = cotangents.length
      const run = mapExamples(
        'customVjp',
        scope,
        (examples) => {
          let next = 2 * count
          const own = inputs.map((x, i) => (isBatched[i] ? examples[next++]! : x))
          return rule(examples.slice(0, count), examples.slice(count, 2 * count), own, keys)
        },
        (found) => found.filter((x) => x !== null),
        { size, inputs: [...cotangents, ...values, ...inputs.filter((_, i) => isBatched[i])], keys: [] },
        ruleOf,
      )
      return run.returned.map((x, i) => {
        if (x === null) return null
        const each = run.valueOf(x) ?? broadcastTo(x, [size, ...x.shape])
        // What examples share has the sum of their gradients.
        return isBatched[i] ? each : sum(each, { axis: 0 })
      })
    })
}
