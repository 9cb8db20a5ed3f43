import * as t from '@tapeflow/autodiff'

/**
 * The state with every sequence begun anew: what recurrent layers carry, tensors named `hidden` or `cell`, is 0 again; all else
 * stays, moving averages too. For layers with `statefulRows`, and for models of any depth that hold some.
 *
 * @param state of a layer or model
 * @returns a state of the same structure; tensors that are not reset are the same objects
 * @example
 * const model = sequential(lstm(1, 2, { statefulRows: 3 }), batchNorm())
 * const { params, state } = model.init(t.key(1), [4, 1])
 * const after = model.apply(params, state, t.ones([3, 4, 1]), { training: true, path: '' }).state
 * const fresh = resetRecurrentState(after)
 * fresh.layers[0].cell.toArray() // => [[0, 0], [0, 0], [0, 0]]
 * fresh.layers[1].movingMean === after.layers[1].movingMean // => true
 */
export function resetRecurrentState<S>(state: S): S {
  return t.mapTensors(state, (x: t.Tensor, path) => (isRecurrent(path) ? t.zerosLike(x) : x)) as S
}

/** Whether a tensor of state is what a recurrent layer carries, by its path. */
export function isRecurrent(path: string): boolean {
  const name = path.slice(path.lastIndexOf('.') + 1)
  return name === 'hidden' || name === 'cell'
}
