// What the scripts know about the workspaces, read from the manifests.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

/** @typedef {{ name: string, version: string, private?: boolean, exports?: object }} Manifest */
/** @typedef {{ path: string, directory: string, manifest: Manifest }} Workspace */

/** @returns {Workspace[]} every workspace, in the order of package.json's `workspaces` */
export function workspaces() {
  const { workspaces: patterns } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return patterns
    .flatMap((pattern) =>
      pattern.endsWith('/*')
        ? readdirSync(join(root, pattern.slice(0, -2))).map((name) => `${pattern.slice(0, -2)}/${name}`)
        : [pattern],
    )
    .filter((path) => existsSync(join(root, path, 'package.json')))
    .map((path) => ({
      path,
      directory: join(root, path),
      manifest: JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8')),
    }))
}

/** @returns {Workspace[]} those that go to the registry */
export const published = () => workspaces().filter(({ manifest }) => !manifest.private)

/**
 * Files below a directory, in order, without what is built or installed.
 * @param {string} directory relative to the root
 * @param {(path: string) => boolean} [wanted]
 * @returns {string[]} paths relative to the root
 */
export function filesBelow(directory, wanted = () => true) {
  if (!existsSync(join(root, directory))) return []
  return readdirSync(join(root, directory), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = `${directory}/${entry.name}`
      if (entry.isDirectory()) {
        return ['node_modules', 'dist', 'coverage', '.turbo'].includes(entry.name)
          ? []
          : filesBelow(path, wanted)
      }
      return wanted(path) ? [path] : []
    })
}
