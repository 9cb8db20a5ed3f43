// Finds the examples of doc comments and of markdown files; check-docs.mjs executes them.
import ts from 'typescript'

/** @returns {{ title: string, line: number, code: string, mustAssert: boolean }[]} the examples of a source file's doc comments */
export function examplesOfSource(text) {
  const examples = []
  for (const comment of text.matchAll(/\/\*\*[\s\S]*?\*\//g)) {
    const first = text.slice(0, comment.index).split('\n').length
    const after = /^\s*export\s+(?:declare\s+|async\s+)*(\w+)\s+(\w+)/.exec(
      text.slice(comment.index + comment[0].length),
    )
    const lines = comment[0]
      .replace(/\s*\*\/$/, '')
      .split('\n')
      .map((line) => line.replace(/^\s*\/?\*+ ?/, ''))
    for (let i = 0; i < lines.length; i++) {
      if (!/^@example\b/.test(lines[i])) continue
      const code = []
      let end = i + 1
      for (; end < lines.length && !/^@\w/.test(lines[end]); end++) {
        code.push(/^```/.test(lines[end]) ? '' : lines[end])
      }
      const mustAssert = after?.[1] === 'function' || after?.[1] === 'const'
      examples.push({
        title: after?.[2] ?? 'example',
        line: first + i + 1,
        code: code.join('\n'),
        mustAssert,
      })
      i = end - 1
    }
  }
  return examples
}

/**
 * The ```ts blocks of a markdown file. A ```text or ```mermaid block right behind one is what it prints.
 *
 * @returns {{ title: string, line: number, code: string, mustAssert: boolean, prints?: string }[]}
 */
export function examplesOfMarkdown(text) {
  const examples = []
  for (const block of text.matchAll(
    /^```ts(.*)\n([\s\S]*?)^```$(?:\s+^```(?:text|mermaid)\n([\s\S]*?)^```$)?/gm,
  )) {
    const [, kind, code, prints] = block
    const line = text.slice(0, block.index).split('\n').length + 1
    if (kind.trim() !== 'continued' || examples.length === 0) {
      examples.push({ title: 'block', line, code: '', mustAssert: false })
    }
    const example = examples.at(-1)
    example.code += example.code === '' ? code : `\n${code}`
    if (prints !== undefined) example.prints = (example.prints ?? '') + prints
  }
  return examples
}

/** @returns {ts.SourceFile} throws where it does not parse */
export function parse(code) {
  const file = ts.createSourceFile('example.ts', code, ts.ScriptTarget.ESNext, true)
  const [syntax] = file.parseDiagnostics
  if (syntax) throw new Error(ts.flattenDiagnosticMessageText(syntax.messageText, ' '))
  return file
}

/** The example without paragraphs of prose behind it, such as the paper that it is from. */
export function withoutProse(code) {
  const paragraphs = code.trimEnd().split(/\n\s*\n/)
  for (let kept = paragraphs.length; kept > 0; kept--) {
    const dropped = paragraphs.slice(kept).join('\n')
    if (/\/\/ (=>|throws)|\bassert|\bexpect\(/.test(dropped)) break
    const rest = paragraphs.slice(0, kept).join('\n\n')
    if (ts.createSourceFile('example.ts', rest, ts.ScriptTarget.ESNext).parseDiagnostics.length === 0)
      return rest
  }
  return code
}
