import { operations } from '@tapeflow/autodiff/testing'
import { columns } from './columns.ts'
import { composed } from './composed.ts'
import { describedColumns } from './described.ts'
import { moving } from './described-operations.ts'
import { windowed } from './described-windows.ts'
import { einsumColumns } from './einsum-cases.ts'
import { largeColumns } from './large-samples.ts'
import { lookingLaws } from './looking-laws.ts'
import { mappingLaws } from './mapping-laws.ts'
import { randomColumns, randoms } from './randoms.ts'
import { refusalLaws } from './refusal-laws.ts'
import { transformLaws } from './transform-laws.ts'

/** A row of the law matrix: its name, and a check for each law. */
export interface Row {
  readonly name: string
  readonly laws: Readonly<Record<string, () => void>>
}

function rows<T>(
  named: readonly (readonly [name: string, T])[],
  laws: Readonly<Record<string, (of: T) => void>>,
): Row[] {
  return named.map(([name, of]) => ({
    name,
    laws: Object.fromEntries(Object.entries(laws).map(([law, check]) => [law, () => check(of)])),
  }))
}

const records = operations.map((info) => [info.operation.name, info] as const)

/**
 * The law matrix: rows are operations, columns are laws. Functions that are composed of operations, operations whose kernel
 * and reference share code, random tensors and transforms have rows too, with laws of their own.
 */
export const matrix: readonly Row[] = [
  ...rows(records, columns),
  ...rows(Object.entries({ ...composed, ...moving, ...windowed }), describedColumns),
  ...rows([['einsum', undefined]], einsumColumns),
  ...rows(Object.entries(randoms), randomColumns),
  ...transformLaws,
  ...mappingLaws,
  ...lookingLaws,
  ...refusalLaws,
  // Last: where the heap was never large, laws that fill it are fast.
  ...rows(records, largeColumns),
]
