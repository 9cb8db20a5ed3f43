import { mae, meanAbsoluteError, mse } from '@tapeflow/nn'
import { describe, expect, test } from 'vitest'
import type { Measures } from '../src/events.ts'
import { type EpochRecord, fit, historyCsv, historyPlot, historyTable, result } from '../src/index.ts'
import { line, twoPoints } from './small.ts'

const history: readonly EpochRecord[] = [
  {
    epoch: 0,
    loss: 16,
    metrics: { 'top 5': 0.25 },
    learningRate: 0.1,
    seconds: 1.5,
    validation: { loss: 4, metrics: { 'top 5': 0.5 } },
  },
  {
    epoch: 1,
    loss: Number.NaN,
    metrics: { 'top 5': 1 },
    learningRate: 1e-5,
    seconds: 12.25,
    validation: { loss: 123456.5, metrics: { 'top 5': 0 } },
  },
  { epoch: 10, loss: 1e9, metrics: { 'top 5': 1 }, learningRate: 0.001, seconds: 100 },
]

describe('historyTable', () => {
  test('has a line an epoch, numbers below each other, and blanks for what was not measured', () => {
    expect(historyTable(history)).toBe(
      [
        'epoch     loss   top 5  learningRate  seconds  validation.loss  validation.top 5',
        '    0  16.0000  0.2500        0.1000     1.50           4.0000            0.5000',
        '    1      NaN  1.0000       1.00e-5    12.25      123456.5000            0.0000',
        '   10  1.00e+9  1.0000        0.0010   100.00',
        '',
      ].join('\n'),
    )
  })

  test('has only the header where there was no epoch', () => {
    expect(historyTable([])).toBe('epoch  loss  learningRate  seconds\n')
  })
})

describe('historyCsv', () => {
  test('has all digits, and empty fields for what was not measured', () => {
    expect(historyCsv(history)).toBe(
      [
        'epoch,loss,top 5,learningRate,seconds,validation.loss,validation.top 5',
        '0,16,0.25,0.1,1.5,4,0.5',
        '1,NaN,1,0.00001,12.25,123456.5,0',
        '10,1000000000,1,0.001,100,,',
        '',
      ].join('\n'),
    )
  })

  test('quotes names that hold commas, quotes or line breaks', () => {
    const odd = { epoch: 0, loss: 1, metrics: { 'a,b': 2, 'c"d': 3, 'e\nf': 4 }, learningRate: 5, seconds: 6 }
    expect(historyCsv([odd])).toBe('epoch,loss,"a,b","c""d","e\nf",learningRate,seconds\n0,1,2,3,4,5,6\n')
  })

  test('keeps metrics apart that are named like another column', () => {
    const odd = {
      epoch: 0,
      loss: 1,
      metrics: { 'validation.loss': 2, loss: 3 },
      learningRate: 4,
      seconds: 5,
    }
    expect(historyCsv([odd])).toBe('epoch,loss,validation.loss,loss,learningRate,seconds\n0,1,2,3,4,5\n')
  })

  test('has each of several losses, and what evaluateTraining found, under names that are no metric', async () => {
    const { history: made } = await result(
      fit(line, {
        ...twoPoints,
        loss: { error: mse(), size: mae() },
        metrics: [meanAbsoluteError()],
        evaluateTraining: true,
        validation: twoPoints.data,
        epochs: 2,
      }),
    )
    const [header, ...rows] = historyCsv(made).trimEnd().split('\n')
    const names = ['loss', 'losses.error', 'losses.size', 'meanAbsoluteError']
    expect(header!.split(',')).toEqual([
      'epoch',
      ...names,
      'learningRate',
      'seconds',
      ...names.map((name) => `training.${name}`),
      ...names.map((name) => `validation.${name}`),
    ])
    const numbers = ({ loss, losses, metrics }: Measures) => [
      loss,
      losses!['error'],
      losses!['size'],
      metrics['meanAbsoluteError'],
    ]
    expect(rows.map((row) => row.split(',').map(Number))).toEqual(
      made.map((record) => [
        record.epoch,
        ...numbers(record),
        record.learningRate,
        record.seconds,
        ...numbers(record.training!),
        ...numbers(record.validation!),
      ]),
    )
    expect(historyTable(made).split('\n')[0]!.trim().split(/\s+/)).toEqual(header!.split(','))
    expect(historyPlot(made, { measure: 'losses.size' })).toContain(' losses.size ')
  })

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['an object', { history: [] }],
    ['an array of others', [1]],
    ['an array of others', [{ loss: 1 }]],
  ])('is not made of %s, nor are tables and pictures', (kind, wrong) => {
    for (const [name, show] of Object.entries({ historyCsv, historyTable, historyPlot })) {
      expect(() => show(wrong as never)).toThrow(
        `${name}: history must be an array with a record of each epoch, got ${kind}; pass the history of a result or of an end event`,
      )
    }
  })

  test('gives back every number of a run', async () => {
    const { history: made } = await result(fit(line, { ...twoPoints, validation: twoPoints.data, epochs: 3 }))
    const [header, ...rows] = historyCsv(made).trimEnd().split('\n')
    expect(header).toBe('epoch,loss,learningRate,seconds,validation.loss')
    expect(rows.map((row) => row.split(',').map(Number))).toEqual(
      made.map((record) => [
        record.epoch,
        record.loss,
        record.learningRate,
        record.seconds,
        record.validation?.loss,
      ]),
    )
  })
})
