import fc from 'fast-check'

/**
 * The same values, shrunk until nothing makes them smaller: fast-check goes through the items of a list once, and what could
 * not shrink while an item behind it was large is not looked at again.
 *
 * @param inner shrinks values that it is given, as integers and lists of them do
 */
export function shrunkAgain<T>(inner: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return new ShrunkAgain(inner)
}

class ShrunkAgain<T> extends fc.Arbitrary<T> {
  private readonly inner: fc.Arbitrary<T>
  constructor(inner: fc.Arbitrary<T>) {
    super()
    this.inner = inner
  }

  override generate(random: fc.Random, bias: number | undefined): fc.Value<T> {
    return this.inner.generate(random, bias)
  }

  override canShrinkWithoutContext(value: unknown): value is T {
    return this.inner.canShrinkWithoutContext(value)
  }

  override shrink(value: T, context: unknown): fc.Stream<fc.Value<T>> {
    const onwards = this.inner.shrink(value, context)
    // Without a context it begins with the first item.
    return context === undefined ? onwards : onwards.join(this.fromTheStart(value))
  }

  private *fromTheStart(value: T): IterableIterator<fc.Value<T>> {
    yield* this.inner.shrink(value, undefined)
  }
}
