/** The same plain data, which nobody can change any more: what a run keeps and hands out without a copy. */
export function frozen<V>(data: V): V {
  if (typeof data === 'object' && data !== null) for (const inner of Object.values(data)) frozen(inner)
  return Object.freeze(data)
}
