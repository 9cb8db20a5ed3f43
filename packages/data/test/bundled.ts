import { build } from 'esbuild'

/** What a browser is sent of a program that imports from the package. */
export async function bundled(code: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['@tapeflow/source'],
  })
  return outputFiles[0]!.text
}
