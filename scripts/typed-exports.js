// What a package's index exports, as the compiler sees it: what a function takes and returns.
import { join } from 'node:path'
import ts from 'typescript'
import { root } from './workspaces.js'

/** @typedef {{ takes: string, returns: string, remembers: string }} TypedExport `returns`: of an interface that extends one, that one */

/**
 * @param {string} entry relative to the root
 * @returns {Map<string, TypedExport>} by name, values only
 */
export function typedExports(entry) {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.base.json'), ts.sys.readFile)
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root)
  const path = join(root, entry)
  const program = ts.createProgram([path], { ...options, noEmit: true })
  const checker = program.getTypeChecker()
  const found = new Map()
  for (const symbol of checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(path)))) {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
    if (!(target.flags & ts.SymbolFlags.Value)) continue
    // Of overloads the last takes most.
    const signature = checker.getTypeOfSymbol(target).getCallSignatures().at(-1)
    const returned = signature?.getReturnType()
    found.set(symbol.name, {
      takes: (signature?.parameters ?? []).flatMap((parameter) => argumentsOf(checker, parameter)).join(', '),
      returns: returned === undefined ? '' : nameOf(checker, returned),
      remembers: returned === undefined ? '' : slotsOf(checker, returned),
    })
  }
  return found
}

function nameOf(checker, type) {
  const { symbol } = type
  const [base] =
    symbol && symbol.flags & ts.SymbolFlags.Interface ? checker.getBaseTypes(type.target ?? type) : []
  return (type.aliasSymbol ?? base?.symbol ?? symbol)?.name ?? ''
}

/** One for a plain argument, one for each of an options object. */
function argumentsOf(checker, parameter) {
  const { valueDeclaration: declaration } = parameter
  const type = checker.getNonNullableType(checker.getTypeOfSymbolAtLocation(parameter, declaration))
  const isOptions = ts.isObjectBindingPattern(declaration.name) || parameter.name === 'options'
  return isOptions
    ? checker.getPropertiesOfType(type).map((property) => named(checker, property))
    : [declaration.dotDotDotToken ? `\`...${parameter.name}\`` : named(checker, parameter)]
}

/** Its name, with the default where its doc comment ends with one, or a question mark where it may be left out. */
function named(checker, symbol) {
  const doc = ts.displayPartsToString(symbol.getDocumentationComment(checker))
  const standard = /((?:[^\s;,]|(?<=\d),(?=\d))+) by default/.exec(doc)?.[1]
  if (standard !== undefined && /^(?:-?\d[\de.,-]*|'.*'|true|false)$/.test(standard))
    return `\`${symbol.name}\` ${standard}`
  const { valueDeclaration: declaration } = symbol
  const optional =
    (symbol.flags & ts.SymbolFlags.Optional) !== 0 ||
    (declaration !== undefined && ts.isParameter(declaration) && checker.isOptionalParameter(declaration))
  return optional ? `\`${symbol.name}\`?` : `\`${symbol.name}\``
}

/** The names in `Optimizer<'m' | 'v'>`. */
function slotsOf(checker, type) {
  const [slots] = type.aliasTypeArguments ?? checker.getTypeArguments(type)
  const members = slots?.isUnion() ? slots.types : slots ? [slots] : []
  // The compiler orders a union as it met its members.
  return members
    .flatMap((member) => (member.isStringLiteral() ? [`\`${member.value}\``] : []))
    .sort()
    .join(', ')
}
