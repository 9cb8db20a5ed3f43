/**
 * The first key that an object of a JSON text has twice, or null. JSON.parse keeps the last of them in silence, so that two
 * readers of one file may see different things.
 *
 * @param json a text that JSON.parse accepts
 * @example
 * duplicateKey('{"a": {"b": 1, "\\u0062": 2}, "b": 3}') // => 'b'
 */
export function duplicateKey(json: string): string | null {
  const open: Set<string>[] = []
  for (const { 0: token } of json.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"\s*:?|[{}]/g)) {
    if (token === '{') open.push(new Set())
    else if (token === '}') open.pop()
    else if (token.endsWith(':')) {
      const key = JSON.parse(token.slice(0, token.lastIndexOf('"') + 1)) as string
      const keys = open.at(-1)!
      if (keys.has(key)) return key
      keys.add(key)
    }
  }
  return null
}
