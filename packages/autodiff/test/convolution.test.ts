import * as t from '@tapeflow/autodiff'
import { checkGradient, withoutKernel } from '@tapeflow/autodiff/testing'
import { describe, expect, it } from 'vitest'

const numbers = (shape: t.Shape, seed = 1): t.Tensor => t.normal(t.key(seed), shape)
const values = (x: t.Tensor): number[] => Array.from(x.toFloat32Array())
const dot = (a: t.Tensor, b: t.Tensor): number => t.sum(t.mul(a, b)).item()

function expectClose(actual: t.Tensor, expected: t.Tensor, digits = 4): void {
  expect(actual.shape).toEqual(expected.shape)
  const wanted = values(expected)
  for (const [i, value] of values(actual).entries()) expect(value).toBeCloseTo(wanted[i]!, digits)
}

describe('conv2d', () => {
  const image = (): t.Tensor =>
    t.reshape(
      t.tensor([
        [1, 2, 0],
        [0, 3, 1],
        [4, 0, 2],
      ]),
      [1, 3, 3, 1],
    )
  const filter = (): t.Tensor =>
    t.reshape(
      t.tensor([
        [1, 10],
        [100, 1000],
      ]),
      [2, 2, 1, 1],
    )

  it('is a sum over windows, worked out by hand', () => {
    t.scope(() => {
      expect(values(t.conv2d(image(), filter()))).toEqual([3021, 1302, 430, 2013])
    })
  })

  it("pads 'same' with the odd one behind, as TensorFlow does", () => {
    t.scope(() => {
      const y = t.conv2d(image(), filter(), { padding: 'same' })
      expect(values(y)).toEqual([3021, 1302, 100, 430, 2013, 201, 4, 20, 2])
      // Three rows at stride 2 need no padding before, and one after.
      const strided = t.conv2d(image(), filter(), { padding: 'same', stride: 2 })
      expect(values(strided)).toEqual([3021, 100, 4, 2])
      // Padded on both sides, as PyTorch would, windows lie elsewhere.
      const both = t.conv2d(image(), filter(), { padding: 1, stride: 2 })
      expect(values(both)).toEqual([1000, 200, 4000, 2013])
    })
  })

  it('reads every second pixel with a dilation of 2', () => {
    t.scope(() => {
      expect(values(t.conv2d(image(), filter(), { dilation: 2 }))).toEqual([2401])
    })
  })

  it('of a filter of one pixel is a matrix product', () => {
    t.scope(() => {
      const [x, w] = [numbers([2, 5, 7, 9]), numbers([1, 1, 9, 13], 2)]
      const product = t.matmul(t.reshape(x, [70, 9]), t.reshape(w, [9, 13]))
      expectClose(t.conv2d(x, w), t.reshape(product, [2, 5, 7, 13]))
    })
  })

  it('with groups convolves each group of channels by itself', () => {
    t.scope(() => {
      const [x, w] = [numbers([2, 6, 5, 6]), numbers([3, 2, 2, 9], 2)]
      const options = { padding: [[1, 0], 1], stride: [1, 2] } as const
      const parts = [0, 1, 2].map((group) => {
        const channels = t.slice(x, [0, 0, 0, 2 * group], [2, 6, 5, 2 * group + 2])
        return t.conv2d(channels, t.slice(w, [0, 0, 0, 3 * group], [3, 2, 2, 3 * group + 3]), options)
      })
      expectClose(t.conv2d(x, w, { ...options, groups: 3 }), t.concat(parts, { axis: 3 }))
    })
  })

  it.each([3, 4, 8, 13, 21])('depthwise convolves each of %i channels by itself', (channels) => {
    t.scope(() => {
      const [x, w] = [numbers([2, 6, 5, channels]), numbers([3, 3, 1, channels], 2)]
      const options = { padding: 'same', stride: 2, dilation: 2 } as const
      const parts = Array.from({ length: channels }, (_, c) =>
        t.conv2d(
          t.slice(x, [0, 0, 0, c], [2, 6, 5, c + 1]),
          t.slice(w, [0, 0, 0, c], [3, 3, 1, c + 1]),
          options,
        ),
      )
      expectClose(t.conv2d(x, w, { ...options, groups: channels }), t.concat(parts, { axis: 3 }))
    })
  })

  it.each([
    [{ padding: 'same' }],
    [{ padding: 2, stride: 3 }],
    [{ stride: 2, dilation: 3 }],
    [{ stride: [3, 2], dilation: [2, 4], padding: 'same', groups: 2 }],
    [
      {
        stride: 4,
        padding: [
          [3, 0],
          [0, 1],
        ],
      },
    ],
  ] as const)('has gradients that are its adjoints, with %j', (options) => {
    t.scope(() => {
      const each = 'groups' in options ? 2 : 4
      const [x, w] = [numbers([3, 13, 11, 4]), numbers([3, 3, each, 10], 2)]
      const y = t.conv2d(x, w, options)
      const g = numbers(y.shape, 3)
      const product = dot(y, g)
      expect(dot(x, t.conv2dInputGradient(g, w, [13, 11], options)) / product).toBeCloseTo(1, 4)
      expect(dot(w, t.conv2dFilterGradient(x, g, [3, 3], options)) / product).toBeCloseTo(1, 4)
    })
  })

  it.each([
    ['strips of rows', [2, 40, 30, 3], [3, 3, 3, 9], { padding: 'same' }],
    ['strips of images', [37, 5, 4, 8], [3, 2, 8, 4], {}],
    ['strips of columns', [1, 2, 1100, 2], [2, 5, 2, 3], { padding: 1 }],
    [
      'strips of columns, apart',
      [1, 2, 1100, 2],
      [2, 5, 2, 3],
      { stride: [1, 2], dilation: 2, padding: 'same' },
    ],
    ['strips of depthwise rows', [2, 40, 30, 6], [3, 3, 1, 6], { padding: 'same', groups: 6 }],
  ] as const)('gives the same by kernels as by references: %s', (_, input, taps, options) => {
    t.scope(() => {
      const [x, w] = [numbers(input), numbers(taps, 2)]
      const out = t.conv2d(x, w, options)
      const g = numbers(out.shape, 3)
      const compute = (): t.Tensor[] => [
        t.conv2d(x, w, options),
        t.conv2dInputGradient(g, w, [input[1], input[2]], options),
        t.conv2dFilterGradient(x, g, [taps[0], taps[1]], options),
      ]
      const slow = withoutKernel('conv2d', () =>
        withoutKernel('conv2dInputGradient', () => withoutKernel('conv2dFilterGradient', compute)),
      )
      for (const [i, fast] of compute().entries()) expectClose(fast, slow[i]!, 3)
    })
  })
})

describe('the filter gradient', () => {
  it('does not lose small terms in a large batch', () => {
    t.scope(() => {
      // In float32 alone this sum of 2^22 terms is off in the second digit; the sum of a strip is off in the sixth.
      const x = t.full([4096, 32, 32, 1], 0.1)
      const gradient = t.conv2dFilterGradient(x, t.ones([4096, 32, 32, 1]), [1, 1])
      expect(gradient.item() / (Math.fround(0.1) * 2 ** 22)).toBeCloseTo(1, 5)
    })
  })
})

describe('conv1d', () => {
  it('is conv2d on images one row high', () => {
    t.scope(() => {
      const [x, w] = [numbers([2, 17, 4]), numbers([3, 2, 6], 2)]
      const options = { stride: 2, dilation: 2, groups: 2 }
      for (const [own, theirs] of [
        ['same', 'same'],
        [1, [0, 1]],
        [
          [2, 1],
          [0, [2, 1]],
        ],
      ] as const) {
        const y = t.conv1d(x, w, { ...options, padding: own })
        const images = t.conv2d(t.reshape(x, [2, 1, 17, 4]), t.reshape(w, [1, 3, 2, 6]), {
          ...options,
          stride: [1, 2],
          dilation: [1, 2],
          padding: theirs,
        })
        expect(values(y)).toEqual(values(images))
        expect(y.shape).toEqual([2, images.shape[2], 6])
      }
    })
  })

  it('refuses what is no sequence, to the letter', () => {
    expect(() => t.scope(() => t.conv1d(t.zeros([4, 2]), t.zeros([3, 2, 1])))).toThrow(
      'conv1d: [batch, length, channels] and a filter [length, channels / groups, outChannels] are needed, got [4,2] and [3,2,1]',
    )
    expect(() =>
      t.scope(() => t.conv1d(t.zeros([1, 4, 2]), t.zeros([3, 2, 1]), { padding: [1, -1] })),
    ).toThrow('conv1d: padding must be an integer from 0 on, or a pair of them, got [1,-1]')
  })
})

describe('convTranspose2d', () => {
  it.each([
    ['valid', 3, {}, [9, 12]],
    ['same', 3, { padding: 'same', stride: 2 }, [14, 20]],
    ['numbers', 3, { padding: 1, stride: 2 }, [13, 19]],
    ['numbers and more', 3, { padding: [[1, 0], 1], stride: [3, 2], outputPadding: [2, 1] }, [22, 20]],
    ['dilation', 2, { dilation: 3, stride: 2 }, [16, 22]],
    ['a stride above the filter', 1, { stride: 3 }, [19, 28]],
    ['groups', 3, { groups: 2 }, [9, 12]],
  ] as const)('is the adjoint of conv2d: %s', (_, taps, options, size) => {
    t.scope(() => {
      const each = 6 / ('groups' in options ? options.groups : 1)
      const [x, w] = [numbers([2, 7, 10, 4]), numbers([taps, taps, each, 4], 2)]
      const y = t.convTranspose2d(x, w, options)
      expect(y.shape).toEqual([2, ...size, 6])
      const z = numbers(y.shape, 3)
      const { outputPadding: _more, ...convolution } = { outputPadding: 0, ...options }
      expect(dot(t.conv2d(z, w, convolution), x) / dot(z, y)).toBeCloseTo(1, 4)
    })
  })

  it('has gradients of its own', () => {
    t.scope(() => {
      const [x, w] = [numbers([1, 3, 3, 2]), numbers([2, 2, 3, 2], 2)]
      const f = (inputs: readonly t.Tensor[]): t.Tensor =>
        t.sum(t.square(t.convTranspose2d(inputs[0]!, inputs[1]!, { stride: 2 })))
      const check = checkGradient(f, [x, w])
      expect(check.ok).toBe(true)
    })
  })

  const refusals: readonly (readonly [
    options: t.ConvTranspose2dOptions,
    filter: t.Shape,
    message: string,
  ])[] = [
    [
      {},
      [2, 2, 3, 1],
      "convTranspose2d: channels differ, got images [1,3,3,2] and a filter [2,2,3,1]; the filter's last size must be that of the images",
    ],
    [
      { padding: 5 },
      [2, 2, 3, 2],
      'convTranspose2d: a padding of 5 and 5 takes all of 4 rows or columns; pad less',
    ],
    [
      { stride: 2, outputPadding: 2 },
      [2, 2, 3, 2],
      'convTranspose2d: outputPadding must be below the stride 2, got 2',
    ],
    [
      { stride: 2, outputPadding: 1, padding: 'same' },
      [2, 2, 3, 2],
      "convTranspose2d: outputPadding goes with padding in numbers, got 'same'",
    ],
  ]
  it.each(refusals)('refuses %j with a filter %j, to the letter', (options, filter, message) => {
    expect(() => t.scope(() => t.convTranspose2d(t.zeros([1, 3, 3, 2]), t.zeros(filter), options))).toThrow(
      message,
    )
  })
})
