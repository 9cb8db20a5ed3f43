/**
 * The first place outside of this library and of what is installed, from a stack whose first frame is in this package:
 * `file:line:column`; null where there is none, as where all is bundled into one file.
 *
 * @param stack as V8, SpiderMonkey or JavaScriptCore write it
 */
export function userFrame(stack: string | undefined): string | null {
  const frames = (stack ?? '').split('\n').flatMap(frameIn)
  const own = frames[0]?.file
  if (own === undefined) return null
  const root = /^(.*\/)packages\/autodiff\/(?:src|dist)\//.exec(own)?.[1]
  // In a checkout the packages lie side by side.
  const isBeside = (file: string): boolean =>
    root !== undefined &&
    file.startsWith(root) &&
    /^(?:packages\/[^/]+|property-tests)\/(?:src|dist)\//.test(file.slice(root.length))
  const outside = frames.filter(
    ({ file }) => file !== own && !isBeside(file) && !/\/@tapeflow[/+_]/.test(file),
  )
  const found = outside.find(({ file }) => !file.includes('/node_modules/')) ?? outside[0]
  return found === undefined ? null : found.place
}

interface Frame {
  /** With slashes, without what a server is asked beside. */
  readonly file: string
  readonly place: string
}

// `at name (file:1:2)` and `at file:1:2`, or `name@file:1:2` and `file:1:2`. What runs in the engine itself has no file.
function frameIn(line: string): Frame[] {
  const location = /^\s*at (?:async )?(?:(?:.*? )?\((.*)\)|(.*))$/.exec(line)
  const place =
    location === null ? /^(?:.*?@)??((?:[\w-]+:\/)?\/.*)$/.exec(line)?.[1] : (location[1] ?? location[2])
  const parts = /^(.*):(\d+):(\d+)$/.exec(place ?? '')
  if (parts === null) return []
  const [, path, row, column] = parts as unknown as [string, string, string, string]
  if (path.startsWith('node:') || path.includes('<anonymous>')) return []
  const asked = path.replace(/\?.*$/, '')
  return [{ file: asked.replaceAll('\\', '/'), place: `${asked}:${row}:${column}` }]
}
