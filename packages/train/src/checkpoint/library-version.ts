/** The version of this package, which its checkpoints carry. A test compares it to package.json, which bundles do not have. */
export const libraryVersion = '0.1.0'
