import { kindOf } from '@tapeflow/autodiff'
import type { AnyLayer, ConfigValue } from '../layer.ts'
import { failFile, shownName } from './file-error.ts'

/** A value of JSON. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/**
 * What a layer was made from as JSON, layers in it likewise.
 *
 * @param path where the layer stands: empty for the model itself
 */
export function describeLayer(
  operation: string,
  layer: AnyLayer,
  path = '',
): { readonly [key: string]: Json } {
  const { config } = layer
  if (config === undefined) {
    const which = path === '' ? 'the model' : `the layer at '${path}'`
    return failFile(
      operation,
      `${which} (${layer.name ?? 'unnamed'}) does not say what it was made from`,
      "give it config: { type: 'name', …options }, and pass loadModel a reader { layers: { name: (options) => … } }",
    )
  }
  return describeOptions(operation, config, path)
}

type Options = { readonly [option: string]: ConfigValue }

function describeOptions(
  operation: string,
  options: Options,
  path: string,
): { readonly [key: string]: Json } {
  // The type first, then by name: who made the layer may have named options in any order.
  const order = (name: string): string => (name === 'type' ? '' : name)
  const entries = Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (order(a) < order(b) ? -1 : 1))
  const within = (name: string): string => (path === '' ? name : `${path}.${name}`)
  return Object.fromEntries(
    entries.map(([name, value]) => [name, describeValue(operation, value, within(name))]),
  )
}

function describeValue(operation: string, value: ConfigValue, path: string): Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (isList(value)) return value.map((inner, i) => describeValue(operation, inner, `${path}.${i}`))
  if (isLayer(value)) return describeLayer(operation, value, path)
  const prototype: unknown = typeof value === 'object' ? Object.getPrototypeOf(value) : undefined
  if (prototype !== Object.prototype) {
    const got = typeof value === 'number' ? String(value) : kindOf(value)
    failFile(
      operation,
      `the option ${shownName(path)} cannot be saved, got ${got}`,
      'options are plain data or layers',
    )
  }
  const options = value as Options
  if ('type' in options) {
    failFile(
      operation,
      `the option ${shownName(path)} has a key 'type'`,
      'in a file that is what a layer has; call it otherwise',
    )
  }
  return describeOptions(operation, options, path)
}

// A predicate of its own: Array.isArray does not know arrays that are only read.
function isList(value: ConfigValue): value is readonly ConfigValue[] {
  return Array.isArray(value)
}

function isLayer(value: ConfigValue): value is AnyLayer {
  return typeof value === 'object' && value !== null && 'init' in value && 'apply' in value
}
