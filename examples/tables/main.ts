// Two real tables: species of flowers, and masses of penguins. `npm run try examples/tables/main.ts`
import { classifyIris } from './iris.ts'
import { linearShare, networkShare } from './penguins.ts'

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
console.log(
  `iris: ${percent(await classifyIris(1))} of 45 flowers that it has not seen are given their own species`,
)
console.log('penguins: how much of the variance of 100 masses that were not seen is explained')
console.log(
  `  by a linear model ${percent(await linearShare(1))}, by a small network ${percent(await networkShare(1))}`,
)
