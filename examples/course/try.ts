import { writeFileSync } from 'node:fs'

const names = process.argv.slice(2)
for (const name of names) {
  const module = (await import(`./${name}.ts`)) as Record<
    string,
    () => { title: string; claims: { says: string; holds: boolean }[]; svg: string }
  >
  for (const f of Object.values(module)) {
    const s = performance.now()
    const l = f()
    console.log(l.title, (performance.now() - s).toFixed(0))
    for (const c of l.claims) console.log(c.holds ? ' ok ' : ' NO ', c.says)
    writeFileSync(`/tmp/${name}.svg`, l.svg)
  }
}
