import * as t from '@tapeflow/autodiff'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { downloadFile, fileStore } from '../src/browser.ts'
import { linear, sequential, tanh } from '../src/index.ts'
import { loadModel, toModelFile } from '../src/model.ts'

const database = 'tapeflow-test'
const removed = (): Promise<void> =>
  new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(database)
    request.onsuccess = () => resolve()
    request.onerror = () => reject(request.error)
    request.onblocked = () => reject(new Error('a connection was left open'))
  })
beforeEach(removed)
afterEach(removed)

test('a model is kept in IndexedDB and predicts the same after', async () => {
  const model = sequential(linear(2, 3), tanh())
  const { params, state } = model.init(t.key(1), [2])
  await fileStore(database).put('model', toModelFile(model, { params, state, inputShape: [2] }))
  const bytes = await fileStore(database).get('model')
  const x = t.tensor([[1, -2]])
  expect(loadModel(bytes!).predict(x).toArray()).toEqual(
    model.apply(params, state, x, { training: false, path: '' }).y.toArray(),
  )
})

test('files are replaced, listed and deleted', async () => {
  const store = fileStore(database)
  expect(await store.names()).toEqual([])
  expect(await store.get('a')).toBeNull()
  const whole = Uint8Array.of(9, 1, 2, 9)
  await store.put('b', whole.subarray(1, 3))
  await store.put('a', Uint8Array.of(5))
  await store.put('a', Uint8Array.of(6))
  expect(await store.names()).toEqual(['a', 'b'])
  expect(await store.get('a')).toEqual(Uint8Array.of(6))
  const found = await store.get('b')
  expect([...found!, found!.buffer.byteLength]).toEqual([1, 2, 2])
  await store.delete('a')
  await store.delete('none')
  expect(await store.names()).toEqual(['b'])
  await expect(store.put('c', 'text' as never)).rejects.toThrow(
    'fileStore: the bytes must be a Uint8Array, got a string; pass what toSafetensors returns',
  )
})

test('a write that is aborted leaves the old file', async () => {
  await fileStore(database).put('a', Uint8Array.of(1))
  const failing = new Proxy(indexedDB, {
    get: (factory, name) =>
      name !== 'open'
        ? Reflect.get(factory, name)
        : (...given: Parameters<IDBFactory['open']>) => {
            const request = factory.open(...given)
            request.addEventListener('success', () => {
              const opened = request.result
              const begin = opened.transaction.bind(opened)
              opened.transaction = (...what) => {
                const transaction = begin(...what)
                // Behind the request: it has been carried out and is taken back.
                setTimeout(() => transaction.abort(), 0)
                const store = transaction.objectStore('files')
                const again = (): void => {
                  store.get('a').onsuccess = again
                }
                again()
                return transaction
              }
            })
            return request
          },
  })
  await expect(fileStore(database, { indexedDB: failing }).put('a', Uint8Array.of(2))).rejects.toThrow(
    'fileStore: the transaction was aborted',
  )
  expect(await fileStore(database).get('a')).toEqual(Uint8Array.of(1))
})

test('a download has the name and the bytes', async () => {
  const clicked: { name: string; bytes: Promise<ArrayBuffer> }[] = []
  const listen = (event: Event): void => {
    const link = event.target as HTMLAnchorElement
    event.preventDefault()
    clicked.push({ name: link.download, bytes: fetch(link.href).then((answer) => answer.arrayBuffer()) })
  }
  document.addEventListener('click', listen)
  try {
    downloadFile(Uint8Array.of(1, 2, 3), 'weights.safetensors')
  } finally {
    document.removeEventListener('click', listen)
  }
  expect(clicked.map(({ name }) => name)).toEqual(['weights.safetensors'])
  expect(new Uint8Array(await clicked[0]!.bytes)).toEqual(Uint8Array.of(1, 2, 3))
  expect(document.querySelector('a')).toBeNull()
  expect(() => downloadFile('text' as never, 'a')).toThrow(
    'downloadFile: the bytes must be a Uint8Array, got a string; pass what toSafetensors returns',
  )
})
