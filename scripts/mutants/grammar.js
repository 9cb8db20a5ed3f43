// Where a source file may have a fault, and which.
import ts from 'typescript'
import { kinds } from './kinds.js'

/**
 * A fault that may be: what stands from `start` to `end` of a file is replaced by `text`. `before` and `after` are the lines it
 * is on, as they are and as they would be: they name it, whatever happens to the rest of the file. `around` is an expression that is
 * evaluated where the fault takes effect.
 * @typedef {{ path: string, kind: string, start: number, end: number, text: string, line: number, before: string, after: string,
 *   around: { start: number, end: number, isFirst: boolean } }} Site
 */

/**
 * Every site of a file, in the order of the text.
 * @param {string} path
 * @param {string} text
 * @returns {Site[]}
 */
export function sitesOf(path, text) {
  const file = ts.createSourceFile(`/${path}`, text, ts.ScriptTarget.ESNext, true)
  const sites = []
  const visit = (node) => {
    if (isNoCode(node)) return
    for (const [kind, edits] of Object.entries(kinds)) {
      for (const edit of edits(node))
        sites.push({ path, kind, ...edit, ...lines(file, edit), around: expressionAround(node) })
    }
    ts.forEachChild(node, visit)
  }
  for (const statement of file.statements) visit(statement)
  return sites.filter(({ before, after }) => before !== after)
}

/** The innermost expression around a node that a comma may stand before: neither what is assigned to, nor what is called. */
function expressionAround(node) {
  let at = ts.isIfStatement(node) || ts.isWhileStatement(node) ? node.expression : node
  if (ts.isForStatement(at)) at = at.condition
  if (ts.isPropertyAssignment(at)) at = at.initializer
  for (; !ts.isExpression(at) || isPlace(at) || ts.isOptionalChain(at.parent); at = at.parent);
  let statement = at
  while (!ts.isStatement(statement)) statement = statement.parent
  const isFirst = ts.isExpressionStatement(statement) && statement.getStart() === at.getStart()
  return { start: at.getStart(), end: at.end, isFirst: isFirst && ts.isBlock(statement.parent) }
}

function isPlace(node) {
  const { parent } = node
  if (ts.isNonNullExpression(parent)) return isPlace(parent)
  if (ts.isBinaryExpression(parent))
    return parent.left === node && /^([^=!<>]*|>>>?|<<|\*\*)=$/.test(parent.operatorToken.getText())
  if (ts.isPrefixUnaryExpression(parent)) return /^(\+\+|--)/.test(parent.getText())
  if (ts.isCallExpression(parent) || ts.isNewExpression(parent)) return parent.expression === node
  return ts.isPostfixUnaryExpression(parent)
}

/** A file that tells `reached` of each of some sites in it whenever it comes there. */
export function withCounters(text, sites) {
  const inserts = sites.flatMap(({ id, around: { start, end, isFirst } }) => [
    { at: start, order: -end, text: `(reached(${id}), `, isFirst },
    { at: end, order: -Infinity, text: ')' },
  ])
  let result = ''
  let from = 0
  for (const { at, text: inserted, isFirst } of inserts.sort((a, b) => a.at - b.at || a.order - b.order)) {
    // Lines end without a semicolon, and one that begins with a parenthesis goes on with the one before.
    const mark = isFirst && at > from ? ';' : ''
    result += text.slice(from, at) + mark + inserted
    from = at
  }
  return result + text.slice(from)
}

/** A file with one fault. */
export const withFault = (text, site) => text.slice(0, site.start) + site.text + text.slice(site.end)

/** What decides no result: types, imports, texts, words of errors, and the tables of the tests themselves. */
function isNoCode(node) {
  if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return true
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return true
  if (ts.isThrowStatement(node) || ts.isTemplateExpression(node)) return true
  if (ts.isCallExpression(node) && /^fail[A-Z]/.test(node.expression.getText())) return true
  if (ts.isFunctionLike(node) && node.parameters.some(({ type }) => type?.getText() === 'Draw')) return true
  if (ts.isVariableStatement(node))
    return node.declarationList.declarations.some(({ name }) => name.getText() === 'info')
  return false
}

function lines(file, { start, end, text }) {
  const from = file.text.lastIndexOf('\n', start - 1) + 1
  const next = file.text.indexOf('\n', end)
  const to = next < 0 ? file.text.length : next
  const plain = (part) => part.trim().replace(/\s+/g, ' ')
  return {
    line: file.getLineAndCharacterOfPosition(start).line + 1,
    before: plain(file.text.slice(from, to)),
    after: plain(file.text.slice(from, start) + text + file.text.slice(end, to)),
  }
}
