import { failType, kindOf, knownOptions } from '@tapeflow/autodiff'

/** Where a download is started. */
export interface DownloadOptions {
  /** The page's own by default. */
  readonly document?: Document
}

/**
 * Offers bytes to the user as a download: the browser saves them, or asks where to.
 *
 * @param bytes of the whole file
 * @param name that the file is to have: `model.safetensors`
 * @param options.document the page's own by default
 * @throws TypeError where there is no page, and where the bytes are none
 * @example
 * downloadFile(new Uint8Array(3), 'model.safetensors') // throws TypeError: downloadFile: there is no page to download from
 */
export function downloadFile(
  bytes: Uint8Array<ArrayBuffer>,
  name: string,
  options: DownloadOptions = {},
): void {
  knownOptions('downloadFile', options, 'document')
  if (!(bytes instanceof Uint8Array)) {
    failType(
      'downloadFile',
      `the bytes must be a Uint8Array, got ${kindOf(bytes)}`,
      'pass what toSafetensors returns',
    )
  }
  const page = options.document ?? globalThis.document
  if (page === undefined) {
    failType(
      'downloadFile',
      'there is no page to download from',
      'in Node use writeFile of @tapeflow/nn/node',
    )
  }
  const url = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }))
  const link = page.createElement('a')
  link.href = url
  link.download = name
  page.body.append(link)
  link.click()
  link.remove()
  // The browser reads the address after the click has returned.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
