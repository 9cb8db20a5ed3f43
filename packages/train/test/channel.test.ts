import fc from 'fast-check'
import { type Observable, Subject, type Subscription } from 'rxjs'
import { expect, test } from 'vitest'
import { channel } from '../src/channel.ts'

/** What a listener does when it hears a value. */
type Reaction =
  | 'nothing'
  | 'leaves'
  | 'sends the first one away'
  | 'brings another'
  | 'brings another after the end'
const reaction = fc.constantFrom<Reaction>(
  'nothing',
  'leaves',
  'sends the first one away',
  'brings another',
  'brings another after the end',
)

type Source = Pick<Subject<number>, 'next' | 'complete'>

/** Everything that listeners hear of three values and the end. */
function heard(values$: Observable<number>, source: Source, reactions: readonly Reaction[]): string[] {
  const told: string[] = []
  const listening: (Subscription | null)[] = []
  const listen = (what: Reaction): void => {
    const name = listening.push(null) - 1
    const another = (): void => {
      if (listening.length < 20) listen('nothing')
    }
    listening[name] = values$.subscribe({
      next: (value) => {
        told.push(`${name} hears ${value}`)
        if (what === 'leaves') listening[name]?.unsubscribe()
        if (what === 'sends the first one away') listening[0]?.unsubscribe()
        if (what === 'brings another') another()
      },
      complete: () => {
        told.push(`${name} hears the end`)
        if (what === 'brings another after the end') another()
      },
    })
  }
  for (const what of reactions) listen(what)
  for (const value of [1, 2, 3]) source.next(value)
  source.complete()
  source.next(4)
  listen('nothing')
  return told
}

test('a channel tells what a Subject tells, whoever comes and goes meanwhile', () => {
  fc.assert(
    fc.property(fc.array(reaction, { maxLength: 6 }), (reactions) => {
      const subject = new Subject<number>()
      const ours = channel<number>(() => {})
      expect(heard(ours.values$, ours, reactions)).toEqual(heard(subject, subject, reactions))
    }),
    { seed: 1, numRuns: 300 },
  )
})
