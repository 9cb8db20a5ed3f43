// A sensor that ages, and a model that learns from its readings as they come: `npm run try examples/online/main.ts`
import { calibrate } from './calibrate.ts'

const { trainedOnce, goingOn } = await calibrate(1)
console.log('mean squared error by tenth of 4,000 readings')
console.log('tenth   trained once   learning on')
for (const [i, once] of trainedOnce.entries()) {
  console.log(
    `${String(i + 1).padStart(5)}${once.toFixed(3).padStart(15)}${goingOn[i]!.toFixed(3).padStart(14)}`,
  )
}
