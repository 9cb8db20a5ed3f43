export { type ProgressBarOptions, progressBar, type Screen } from './callbacks/progress-bar.ts'
