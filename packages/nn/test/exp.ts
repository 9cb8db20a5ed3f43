import type { Tensor } from '@tapeflow/autodiff'
import type { AnyLayer, Layer, ParamsOf, SizePreserving, StateOf } from '../src/layer.ts'
import type { Chain, Chained } from '../src/combine/sizes.ts'
type LP = { readonly weight: Tensor; readonly bias: Tensor }
declare function linear<In extends number, Out extends number>(i: In, o: Out): Layer<LP, null, In, Out>
declare function relu(): SizePreserving<null, null>
declare function custom(): Layer<{ w: Tensor }, { m: Tensor }>
type P<L extends readonly AnyLayer[]> = { readonly layers: { readonly [K in keyof L]: ParamsOf<L[K]> } }
type S<L extends readonly AnyLayer[]> = { readonly layers: { readonly [K in keyof L]: StateOf<L[K]> } }
declare function sequential<const L extends readonly AnyLayer[]>(...layers: L extends Chained<L> ? L : Chained<L>): Chain<L, P<L>, S<L>>

const a = sequential(linear(784, 128), relu(), linear(128, 10))
type X = ParamsOf<typeof a>
const x: X = null as unknown as X
const w: Tensor = x.layers[0].weight
const n: null = x.layers[1]
// @ts-expect-error no
x.layers[1].weight
const io: NonNullable<(typeof a)['~io']> = (s: 784) => 10
const bad = sequential(linear(784, 128), relu(), linear(64, 10))
const bad2 = sequential(linear(784, 128), sequential(relu(), relu()), linear(64, 10))
const ok2 = sequential(linear(784, 128), sequential(relu(), relu()), linear(128, 10), custom(), linear(5, 6))
const bad3 = sequential(a, linear(11, 3))
const h: number = 7
const ok3 = sequential(linear(784, h), relu(), linear(128, 10))
const arr: AnyLayer[] = []
const ok4 = sequential(...arr)
const ok5 = sequential(linear(3, 4), ...arr, linear(4, 3))
const many = sequential(linear(1, 2), relu(), linear(2, 3), relu(), linear(3, 4), relu(), linear(4, 5), relu(), linear(5, 6), relu(), linear(6, 7), relu(), linear(7, 8), linear(8,9), linear(9,10))
const manyBad = sequential(linear(1, 2), relu(), linear(2, 3), relu(), linear(3, 4), relu(), linear(4, 5), relu(), linear(5, 6), relu(), linear(6, 7), relu(), linear(7, 8), linear(8,9), linear(10,10))
// @ts-expect-error no
const bb: Layer<unknown, unknown, 784, 11> = a
const bc: Layer<unknown, unknown, 784, 10> = a
void { w, n, io, bad, bad2, ok2, bad3, ok3, ok4, ok5, many, manyBad, bb, bc }

const lp: Layer<ParamsOf<typeof a>, StateOf<typeof a>> = a
declare function fit<P, S>(m: Layer<P, S>): P
const fp: X = fit(a)
const fq = fit(a)
const g: Tensor = fq.layers[2].bias
const dyn = [3, 4].flatMap((n) => [linear(n, n), relu()])
const d = sequential(...dyn)
const dp: ParamsOf<typeof d>['layers'][number] = null
const nested = sequential(relu(), linear(3, 4), relu())
// @ts-expect-error no
sequential(linear(1, 2), nested)
sequential(linear(1, 3), nested, relu(), linear(4, 1))
// @ts-expect-error no
sequential(linear(1, 3), nested, relu(), linear(5, 1))
import type { Tree } from '@tapeflow/autodiff'
const tr: Tree = fq
const st: Tree = null as unknown as StateOf<typeof a>
void { lp, fp, fq, g, d, dp, tr, st }
