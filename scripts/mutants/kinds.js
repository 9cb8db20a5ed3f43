// The kinds of faults: each says what it would write in the place of a node of the syntax tree. A fault is one that people make:
// a sign, a term left out, the wrong axis, a sum that is missing, one time too often around a loop.
import ts from 'typescript'

const { SyntaxKind: is } = ts

/**
 * What a node becomes: what stands from `start` to `end` is replaced by `text`.
 * @typedef {{ start: number, end: number, text: string }} Edit
 * @typedef {(node: ts.Node) => Edit[]} Kind
 */

/** @returns {Edit} the node replaced by a text */
const replaced = (node, text) => ({ start: node.getStart(), end: node.end, text })
/** @returns {Edit} the node replaced by a part of it, or by another one */
const becomes = (node, other) => replaced(node, other.getText())
/** @returns {Edit[]} a node replaced where it is one of a table */
const swapped = (node, name, table) => (Object.hasOwn(table, name) ? [replaced(node, table[name])] : [])

/** `e.add(a, b)` and `add(a, b)` are calls of `add`. */
const called = (node) => {
  if (!ts.isCallExpression(node)) return ''
  const { expression } = node
  return ts.isPropertyAccessExpression(expression) ? expression.name.text : expression.getText()
}
const calledName = ({ expression }) =>
  ts.isPropertyAccessExpression(expression) ? expression.name : expression
const isText = (node) => ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)
const operator = (node) => (ts.isBinaryExpression(node) ? node.operatorToken.getText() : '')
const isLoop = (node) => ts.isForStatement(node) || ts.isWhileStatement(node) || ts.isDoStatement(node)
const conditionOf = (node) => (ts.isForStatement(node) ? node.condition : node.expression)
const isConditionOfLoop = (node) => isLoop(node.parent) && conditionOf(node.parent) === node
const isStepOfLoop = (node) => ts.isForStatement(node.parent) && node.parent.incrementor === node
const isSame = (a, b) => a.getText() === b.getText()
const oneMore = (node) => replaced(node, `${Number(node.text) + 1}`)

/** @type {Kind} plus for minus, the other way round, and a minus that is missing */
function sign(node) {
  if (ts.isBinaryExpression(node) && !isText(node.left) && !isText(node.right) && !isStepOfLoop(node)) {
    return swapped(node.operatorToken, operator(node), { '+': '-', '-': '+', '+=': '-=', '-=': '+=' })
  }
  if (ts.isPrefixUnaryExpression(node) && node.operator === is.MinusToken)
    return [becomes(node, node.operand)]
  if (!ts.isCallExpression(node)) return []
  if (called(node) === 'neg') return [becomes(node, node.arguments[0])]
  const other = {
    add: 'sub',
    sub: 'add',
    addBits: 'subBits',
    subBits: 'addBits',
    addLongs: 'subLongs',
    subLongs: 'addLongs',
  }
  // Unqualified, the other one may not be there: `a - b` is `a + (-b)`, and all that matters is another sign.
  return ts.isPropertyAccessExpression(node.expression)
    ? swapped(calledName(node), called(node), other)
    : negated(node)
}

// `add(a, b)` of tensors or nodes without the other function in scope: the second operand's negation is a product.
function negated(node) {
  if (!['add', 'sub'].includes(called(node)) || node.arguments.length !== 2) return []
  const second = node.arguments[1]
  const file = node.getSourceFile().text
  for (const name of ['neg', called(node) === 'add' ? 'sub' : 'add']) {
    if (!new RegExp(`import [^;]*?\\b${name}\\b[^;]*? from|\\bconst ${name} =`).test(file)) continue
    return name === 'neg' ? [replaced(second, `neg(${second.getText()})`)] : [replaced(node.expression, name)]
  }
  return []
}

/** @type {Kind} a term or a factor that is left out */
function term(node) {
  if (isStepOfLoop(node)) return []
  const symbol = operator(node)
  if (['+', '-', '*', '/'].includes(symbol) && !isText(node.left) && !isText(node.right)) {
    return [
      becomes(node, node.left),
      ...(symbol === '+' || symbol === '*' ? [becomes(node, node.right)] : []),
    ]
  }
  if (symbol === '+=' || symbol === '*=') return [replaced(node.operatorToken, '=')]
  const name = called(node)
  if (name === 'mulAdd') return [becomes(node, node.arguments[2])]
  if (['add', 'sub', 'mul', 'div'].includes(name) && node.arguments.length === 2) {
    const [a, b] = node.arguments
    return [becomes(node, a), ...(name === 'add' || name === 'mul' ? [becomes(node, b)] : [])]
  }
  return []
}

const pairs = [
  ['outer', 'inner'],
  ['m', 'n'],
  ['rows', 'columns'],
  ['rows', 'n'],
  ['height', 'width'],
  ['transposeA', 'transposeB'],
]

/** The outermost call around a node, within its statement. */
function callAround(node) {
  let text = ''
  for (let at = node; !ts.isStatement(at); at = at.parent) if (ts.isCallExpression(at)) text = at.getText()
  return text
}

/** @type {Kind} the axis beside, an operand transposed that should not be, two sizes exchanged */
function axis(node) {
  if (ts.isElementAccessExpression(node)) {
    const at = node.argumentExpression
    if (ts.isIdentifier(at) && /^(axis|dimension)$/.test(at.text)) {
      return [replaced(at, `${at.text} + 1`), replaced(at, `${at.text} - 1`)]
    }
    if (ts.isNumericLiteral(at) && /(shape|sizes|strides|steps|axes)!?$/i.test(node.expression.getText())) {
      return [replaced(at, at.text === '0' ? '1' : `${Number(at.text) - 1}`)]
    }
  }
  if (ts.isPropertyAssignment(node)) {
    const name = node.name.getText()
    const value = node.initializer
    // A number of elements is the same with and without axes of size 1.
    if (/^sizeOf\(/.test(callAround(node))) return []
    if (/^(keepDims|transpose[AB])$/.test(name) && /^(true|false)$/.test(value.getText())) {
      return [replaced(value, value.getText() === 'true' ? 'false' : 'true')]
    }
    if (/^ax[ei]s$/.test(name) && ts.isNumericLiteral(value)) return [oneMore(value)]
    if (/^ax[ei]s$/.test(name) && value.getText() === '-1') return [replaced(value, '0')]
  }
  if (called(node) === 'at' && node.arguments[0]?.getText() === '-1')
    return [replaced(node.arguments[0], '-2')]
  if (
    operator(node) === '-' &&
    /\.(length|rank)$/.test(node.left.getText()) &&
    node.right.getText() === '1'
  ) {
    return [replaced(node.right, '2')]
  }
  if (ts.isCallExpression(node)) {
    const names = node.arguments.map((argument) => argument.getText().split('.').at(-1))
    for (const pair of pairs) {
      const [i, k] = pair.map((name) => names.indexOf(name))
      if (i < 0 || k < 0) continue
      const [first, second] = i < k ? [i, k] : [k, i]
      const [a, b] = [node.arguments[first], node.arguments[second]]
      const between = node.getSourceFile().text.slice(a.end, b.getStart())
      return [{ start: a.getStart(), end: b.end, text: b.getText() + between + a.getText() }]
    }
  }
  return []
}

/** @type {Kind} what was broadcast is not summed again, or a sum or mean over axes is missing */
function broadcast(node) {
  const sums = ['summedTo', 'sumTo', 'sum', 'mean', 'broadcastTo', 'spread', 'expanded']
  return sums.includes(called(node)) && node.arguments.length > 1 ? [becomes(node, node.arguments[0])] : []
}

/** @type {Kind} once too often or too seldom around */
function loop(node) {
  if (isConditionOfLoop(node)) {
    const other = { '<': '<=', '<=': '<', '>': '>=', '>=': '>' }
    if (isByBlocks(node.parent) || leavesRest(node)) return []
    return ts.isBinaryExpression(node) ? swapped(node.operatorToken, operator(node), other) : []
  }
  const isStart =
    ts.isNumericLiteral(node) &&
    ts.isVariableDeclaration(node.parent) &&
    ts.isForStatement(node.parent.parent.parent) &&
    node.parent.initializer === node
  return isStart ? [oneMore(node)] : []
}

// `at + 4 <= end` before another loop: what it does not do, that one does.
function leavesRest(node) {
  if (operator(node) !== '<=' || operator(node.left) !== '+') return false
  const siblings = ts.isBlock(node.parent.parent) ? node.parent.parent.statements : []
  const next = siblings[siblings.indexOf(node.parent) + 1]
  return next !== undefined && (isLoop(next) || ts.isIfStatement(next))
}

// A loop by blocks of which the last is `min(block, end - at)`: one time more would do an empty one.
function isByBlocks(node) {
  if (!ts.isForStatement(node) || operator(node.incrementor ?? node) !== '+=') return false
  const { left, right } = node.incrementor
  const [at, block] = [left.getText(), right.getText()]
  return new RegExp(`\\bmin\\(${block}, [\\w.]+ - ${at}\\)`).test(node.statement.getText())
}

/** @type {Kind} what a loop over groups leaves is not done, or not all of it */
function tail(node) {
  if (called(node) === 'keep') return [becomes(node, node.arguments[0])]
  if (ts.isIfStatement(node) || ts.isWhileStatement(node) || (ts.isForStatement(node) && !node.initializer)) {
    const condition = conditionOf(node)
    const before = siblingBefore(node)
    if (condition === undefined || before === undefined || !isLoop(before)) return []
    const counter = operator(condition) === '' ? '' : condition.left.getText()
    if (counter === '' || !new RegExp(`\\b${counter}\\b`).test(conditionOf(before)?.getText() ?? ''))
      return []
    // A vector is 4 elements, or 16 bytes: what is cut off is one of them.
    const text = condition.getText()
    const one = /\b16\b/.test(conditionOf(before).getText()) && isAssembly(node) ? 4 : 1
    const cut = { '>': `${counter} > ${one}`, '<': `${text} - ${one}`, '>=': `${text} + ${one}` }
    return [replaced(condition, 'false'), ...swapped(condition, operator(condition), cut)]
  }
  return []
}

function siblingBefore(node) {
  const siblings = ts.isBlock(node.parent) ? node.parent.statements : []
  return siblings[siblings.indexOf(node) - 1]
}

/** @type {Kind} another number: 1 % more of a fraction, one more of a whole number, or twice as much of a large one */
function constant(node) {
  if (
    !ts.isNumericLiteral(node) ||
    loop(node).length > 0 ||
    (ts.isPropertyAssignment(node.parent) && node.parent.name === node)
  )
    return []
  const value = Number(node.getText().replaceAll('_', ''))
  const whole = value < 64 ? value + 1 : 2 * value
  return [replaced(node, Number.isInteger(value) ? `${whole}` : `${value * 1.01}`)]
}

const comparisons = {
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '===': '!==',
  '!==': '===',
  '==': '!=',
  '!=': '==',
}
const comparing = {
  ...{ greater: 'greaterEqual', greaterEqual: 'greater', less: 'lessEqual', lessEqual: 'less' },
  ...{ equal: 'notEqual', notEqual: 'equal', minimum: 'maximum', maximum: 'minimum', min: 'max', max: 'min' },
  ...{ pmin: 'pmax', pmax: 'pmin', lt: 'le', le: 'lt', gt: 'ge', ge: 'gt', eq: 'ne', ne: 'eq' },
  ...{ gt_s: 'ge_s', lt_s: 'le_s', every: 'some', some: 'every' },
}

/** @type {Kind} less or equal for less, and for or, the smaller for the larger, one branch for the other */
function comparison(node) {
  if (ts.isBinaryExpression(node) && !isConditionOfLoop(node) && !isSame(node.left, node.right)) {
    return swapped(node.operatorToken, operator(node), { ...comparisons, '&&': '||', '||': '&&' })
  }
  if (ts.isConditionalExpression(node)) {
    const { condition, whenTrue, whenFalse } = node
    return [replaced(node, `${condition.getText()} ? ${whenFalse.getText()} : ${whenTrue.getText()}`)]
  }
  if (ts.isPrefixUnaryExpression(node) && node.operator === is.ExclamationToken)
    return [becomes(node, node.operand)]
  if (ts.isStringLiteral(node))
    return swapped(node, node.getText(), { "'largest'": "'smallest'", "'smallest'": "'largest'" })
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) {
    return /^(min|max)$/.test(called(node)) && isAssembly(node)
      ? swapped(calledName(node), called(node), comparing)
      : []
  }
  return swapped(calledName(node), called(node), comparing)
}

/** @type {Kind} to the next whole number, and not to the one below */
function rounding(node) {
  if (!ts.isPropertyAccessExpression(node) || !/^(Math|e|d|f32x4|f64x2)$/.test(node.expression.getText()))
    return []
  const other = { floor: 'ceil', ceil: 'floor', trunc: 'floor', round: 'floor', nearest: 'floor' }
  return swapped(node.name, node.name.text, other)
}

const isAssembly = (node) => node.getSourceFile().fileName.includes('/assembly/')

/** @type {Kind} a NaN that is not seen, or goes the other way: through a select, a minimum, a comparison with itself */
function nan(node) {
  const symbol = operator(node)
  if (/^[!=]==?$/.test(symbol) && isSame(node.left, node.right))
    return [replaced(node, `${symbol[0] === '='}`)]
  if (!ts.isCallExpression(node)) return []
  const [first, second, third] = node.arguments
  const exchanged = (a, b) => {
    const between = node.getSourceFile().text.slice(a.end, b.getStart())
    return [{ start: a.getStart(), end: b.end, text: b.getText() + between + a.getText() }]
  }
  const qualified = ts.isPropertyAccessExpression(node.expression)
  switch (called(node)) {
    case 'select':
    case 'selectRarely':
      return third === undefined ? [] : exchanged(second, third)
    case 'bitselect':
      return exchanged(first, second)
    case 'isNaN':
      return qualified ? [replaced(node, 'false')] : []
    case 'isFinite':
      return qualified ? [replaced(node, 'true')] : []
    case 'minimum':
    case 'maximum':
      return qualified ? [replaced(calledName(node), called(node) === 'minimum' ? 'pmin' : 'pmax')] : []
    default:
      return []
  }
}

/** @type {Kind} an input has no derivative any more */
function rule(node) {
  if (!ts.isArrowFunction(node)) return []
  const isRule = (of) => ts.isPropertyAssignment(of) && of.name.getText() === 'vjp'
  const isInList = ts.isArrayLiteralExpression(node.parent) && isRule(node.parent.parent)
  return isInList || isRule(node.parent) ? [replaced(node, isInList ? 'null' : '[null, null, null]')] : []
}

/** @type {Readonly<Record<string, Kind>>} */
export const kinds = { sign, term, axis, broadcast, loop, tail, constant, rounding, comparison, nan, rule }
