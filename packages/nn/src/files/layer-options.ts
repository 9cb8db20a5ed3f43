import { kindOf } from '@tapeflow/autodiff'
import type { AnyLayer } from '../layer.ts'
import { FileError, failFile, shownName } from './file-error.ts'

/**
 * The options of a layer out of a file, each checked for its kind as it is read. What stands in the second place is taken where
 * the file has no such option; without it the option must be there.
 */
export interface LayerOptions {
  /** An integer from 1 on that is the size of an axis of a parameter: no larger than all parameters together. */
  size(name: string, otherwise?: number): number
  number(name: string, otherwise?: number): number
  boolean(name: string, otherwise?: boolean): boolean
  text(name: string, otherwise?: string): string
  /** One of some texts: `options.choice('padding', ['valid', 'same'])`. */
  choice<const C extends string>(name: string, choices: readonly C[], otherwise?: C): C
  numbers(name: string, otherwise?: readonly number[]): readonly number[]
  layer(name: string): AnyLayer
  layers(name: string): readonly AnyLayer[]
  /** Plain data of any kind, not checked. */
  data(name: string, otherwise?: unknown): unknown
  /** Whether the file has the option. */
  has(name: string): boolean
}

/** Makes a layer from its options. What it throws is reported with the layer's place. */
export type LayerReader = (options: LayerOptions) => AnyLayer

/** How layers are made, by the `type` of their `config`. */
export type LayerReaders = { readonly [type: string]: LayerReader }

/** Deeper than any model, shallow enough for the stack. */
const deepest = 100

/** What layers are made with. */
export interface Building {
  readonly operation: string
  readonly readers: LayerReaders
  /** How many elements all arrays of the file have together. */
  readonly most: number
}

/** The layer that a description stands for, with all layers in it. */
export function buildLayer(building: Building, description: unknown, path = '', depth = 0): AnyLayer {
  const { operation, readers } = building
  const where = path === '' ? 'the model' : `the layer at ${shownName(path)}`
  if (depth > deepest) failFile(operation, `layers are nested more than ${deepest} deep`)
  const type: unknown = isFields(description) ? description['type'] : undefined
  if (!isFields(description) || typeof type !== 'string') {
    return failFile(operation, `${where} is no description of a layer`, 'the file is damaged')
  }
  const read = Object.hasOwn(readers, type) ? readers[type] : undefined
  if (read === undefined) {
    return failFile(
      operation,
      `${where} is of a type that is not known, got ${shownName(type)}`,
      'pass how it is made: { layers: { type: (options) => … } }',
    )
  }
  const seen = new Set(['type'])
  const options = optionsOf(building, description, where, seen, (inner, name) =>
    buildLayer(building, inner, path === '' ? name : `${path}.${name}`, depth + 1),
  )
  let layer: AnyLayer
  try {
    layer = read(options)
  } catch (cause) {
    if (cause instanceof FileError) throw cause
    const words = cause instanceof Error ? cause.message : String(cause)
    throw new FileError(operation, `${where} cannot be made: ${words}`, undefined, { cause })
  }
  const extra = Object.keys(description).filter((name) => !seen.has(name))
  if (extra.length > 0) {
    failFile(
      operation,
      `${where} (${type}) has options that are not known, got ${extra.map(shownName).join(', ')}`,
      'the file is damaged, or from a newer version',
    )
  }
  return layer
}

type Fields = { readonly [key: string]: unknown }

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function optionsOf(
  { operation, most }: Building,
  fields: Fields,
  where: string,
  seen: Set<string>,
  build: (description: unknown, name: string) => AnyLayer,
): LayerOptions {
  function one<T>(name: string, kind: string, is: (value: unknown) => value is T, otherwise?: T): T {
    seen.add(name)
    const given: unknown = Object.hasOwn(fields, name) ? fields[name] : otherwise
    if (is(given)) return given
    return failFile(
      operation,
      `${where} needs ${kind} for ${shownName(name)}, got ${isNumber(given) ? given : kindOf(given)}`,
    )
  }
  // A claim that the file cannot back is refused before memory is taken for it.
  const isSize = (value: unknown): value is number =>
    isNumber(value) && Number.isInteger(value) && value >= 1 && value <= most
  return {
    size: (name, otherwise) => one(name, `an integer from 1 to ${most}`, isSize, otherwise),
    number: (name, otherwise) => one(name, 'a number', isNumber, otherwise),
    boolean: (name, otherwise) => one(name, 'true or false', isBoolean, otherwise),
    text: (name, otherwise) => one(name, 'a text', isText, otherwise),
    choice: <const C extends string>(name: string, choices: readonly C[], otherwise?: C): C => {
      const isChoice = (value: unknown): value is C => choices.some((choice) => choice === value)
      return one(name, `one of ${choices.join(', ')}`, isChoice, otherwise)
    },
    numbers: (name, otherwise) => one(name, 'a list of numbers', isNumbers, otherwise),
    layer: (name) => build(one(name, 'a layer', isFields), name),
    layers: (name) => one(name, 'a list of layers', isArray).map((inner, i) => build(inner, `${name}.${i}`)),
    data: (name, otherwise) => one(name, 'a value', isPresent, otherwise),
    has: (name) => Object.hasOwn(fields, name),
  }
}

const isNumber = (value: unknown): value is number => typeof value === 'number'
const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean'
const isText = (value: unknown): value is string => typeof value === 'string'
const isArray = (value: unknown): value is readonly unknown[] => Array.isArray(value)
const isNumbers = (value: unknown): value is readonly number[] => isArray(value) && value.every(isNumber)
const isPresent = (value: unknown): value is unknown => value !== undefined
