import type { Pull } from '../src/index.ts'

/** The numbers 0 to n - 1, given by and by. */
export async function* later(n: number): AsyncGenerator<number, undefined> {
  for (let i = 0; i < n; i++) yield await Promise.resolve(i)
}

/** The numbers 0 to n - 1. */
export const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

/** Pulls `n` results one after the other. */
export async function pulls<T>(pull: Pull<T>, n: number): Promise<IteratorResult<T, undefined>[]> {
  const results: IteratorResult<T, undefined>[] = []
  for (let i = 0; i < n; i++) results.push(await pull.next())
  return results
}
