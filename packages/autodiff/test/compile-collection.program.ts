// Run by compile-collection.node.test.ts in a process of its own: drops what is compiled, and what it returned, without
// disposing of anything, and prints what the heap holds before, meanwhile, and once the garbage has been collected.
import * as t from '../src/index.ts'

const collect = (globalThis as { gc?: () => void }).gc!

/** What happens without anything being kept; returns nothing that refers to it. */
const dropped: Readonly<Record<string, () => void>> = {
  'a function with constants': () => {
    const compiled = t.compile((x: t.Tensor) => t.add(t.sum(x), t.full([1000], x.size)))
    for (let size = 1; size < 4; size++) t.scope(() => void compiled(t.ones([size])))
  },
  'a function whose results are used again': () => {
    const step = t.compile((p: { w: t.Tensor }, x: t.Tensor) => ({ w: t.sub(p.w, x), y: t.mul(x, 2) }), {
      donate: [0],
      reuse: true,
    })
    let w = t.zeros([500])
    t.scope(() => {
      for (let i = 0; i < 4; i++) w = step({ w }, t.ones([500])).w
    })
    for (let i = 0; i < 4; i++) w = step({ w }, t.ones([i === 2 ? 1 : 500])).w
  },
  'results and arguments': () => {
    const compiled = t.compile((x: t.Tensor, y: t.Tensor) => [x, t.reshape(t.neg(x), [10, 50]), y], {
      donate: [1],
    })
    for (let i = 0; i < 4; i++) compiled(t.ones([500]), t.ones([500]))
    // Found by the shapes of its first arguments, and then not meant: nothing of it may be held.
    const other = t.compile((x: t.Tensor, y: t.Tensor) => t.add(t.sum(x), t.sum(y)))
    for (let i = 0; i < 4; i++) other(t.ones([500]), t.ones([1 + i]))
    other.plan(t.ones([500]), t.ones([1]))
    kept.push(compiled, other)
  },
  'a function with keys, numbers, a check and a scan': () => {
    const compiled = t.compile((x: t.Tensor, k: t.Key, rate: number) => {
      const noise = t.mul(t.uniform(t.foldIn(k, rate), [3]), rate)
      const body = (sum: t.Tensor, row: t.Tensor) => ({ carry: t.add(sum, t.mul(row, noise)), y: null })
      return t.gather(t.scan(body, t.zeros([3]), x).carry, t.tensor([2, 0]))
    })
    for (let i = 1; i < 4; i++) t.scope(() => void compiled(t.ones([i, 3]), t.key(i), i))
  },
  // They are listed until the end of the job: more than the list holds before it is swept.
  'tensors outside of scopes': () => {
    for (let i = 0; i < 3000; i++) if (i % 3 > 0) t.neg(t.full([4], i)).dispose()
    t.fold(t.zeros([100]), [1, 2, 3], (carry) => t.add(carry, t.grad((x: t.Tensor) => t.sum(x))(carry)))
  },
  'a function that was refused': () => {
    const compiled = t.compile((x: t.Tensor) => t.gather(t.full([500, 2], 1), x))
    for (const at of [0, 500]) {
      try {
        compiled(t.full([3], at))
      } catch {}
    }
  },
}
const kept: unknown[] = []

async function settled(): Promise<t.MemoryStatistics> {
  // Callbacks of the registries run in tasks of their own, and what they release may hold more.
  for (let i = 0; i < 5; i++) {
    collect()
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return t.memory()
}

const looks: Record<string, readonly t.MemoryStatistics[]> = {}
for (const [name, drop] of Object.entries(dropped)) {
  const before = await settled()
  drop()
  const meanwhile = t.memory()
  looks[name] = [before, meanwhile, await settled()]
}
process.stdout.write(JSON.stringify({ looks, kept: kept.length }))
