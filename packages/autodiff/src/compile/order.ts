import { isPlain } from '../tree.ts'
import { type Line, type OperationLine, type Output, resultsOf, type Value } from './graph.ts'

/** The lines that some outputs need, and every one that may fail, in the order given: errors are those of the function. */
export function neededLines(lines: readonly OperationLine[], outputs: readonly Output[]): OperationLine[] {
  const needed = new Set<Value>(outputs.map(({ value }) => value.root))
  const kept: OperationLine[] = []
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
  const wanted: Value[] = []
  for (const line of lines) if (mayFail(line)) wanted.push(line.output)
  for (const output of outputs) if (output !== null) wanted.push(output.value.root)
  return asWanted(lines, wanted)
}

/** The lines that values need, in the order in which these, one after the other, need them. */
export function asWanted(lines: Iterable<Line>, wanted: Iterable<Value>): Line[] {
  const makers = new Map<Value, Line>()
  for (const line of lines) for (const value of resultsOf(line)) makers.set(value, line)
  const ordered: Line[] = []
  const entered = new Set<Line>()
  // A stack of its own: programs are deeper than that of the host.
  const stack: { readonly line: Line; next: number }[] = []
  const push = (value: Value): void => {
    const line = makers.get(value)
    if (line === undefined || entered.has(line)) return
    entered.add(line)
    stack.push({ line, next: 0 })
  }
  for (const value of wanted) {
    push(value)
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
  return ordered
}
