export { glorotUniform as orthogonal } from '../initializers/glorot-uniform.ts'
