import { isPlain } from '../tree.ts'
import type { Line, Output, Value } from './graph.ts'

/** The lines that some outputs need, and every one that may fail, in the order given: errors are those of the function. */
export function neededLines(lines: readonly Line[], outputs: readonly Output[]): Line[] {
  const needed = new Set<Value>(outputs.map(({ value }) => value.root))
  const kept: Line[] = []
  for (let i = lines.length - 1; i >= 0; i--) {
    const line = lines[i]!
    if (!needed.has(line.output) && !mayFail(line)) continue
    kept.push(line)
    for (const { root } of line.inputs) needed.add(root)
  }
  return kept.reverse()
}

/** Whether a line may refuse what it is given: a check, or numbers that are known only when it is run. */
export function mayFail({ operation, attributes }: Pick<Line, 'operation' | 'attributes'>): boolean {
  return operation.effect === true || (isPlain(attributes) && attributes.mayFail === true)
}

/** The lines in the order in which the checks, and then each output in turn, need them. */
export function depthFirst(lines: readonly Line[], outputs: readonly (Output | null)[]): Line[] {
  const makers = new Map<Value, Line>(lines.map((line) => [line.output, line]))
  const ordered: Line[] = []
  const entered = new Set<Line>()
  const enter = (root: Value): void => {
    // A stack of its own: programs are deeper than that of the host.
    const stack: { readonly line: Line; next: number }[] = []
    const push = (value: Value): void => {
      const line = makers.get(value)
      if (line === undefined || entered.has(line)) return
      entered.add(line)
      stack.push({ line, next: 0 })
    }
    push(root)
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!
      const input = top.line.inputs[top.next++]
      if (input !== undefined) push(input.root)
      else {
        ordered.push(top.line)
        stack.pop()
      }
    }
  }
  for (const line of lines) if (mayFail(line)) enter(line.output)
  for (const output of outputs) if (output !== null) enter(output.value.root)
  return ordered
}
