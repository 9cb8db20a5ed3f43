type Units = {
  '0': []
  '1': [1]
  '2': [1, 1]
  '3': [1, 1, 1]
  '4': [1, 1, 1, 1]
  '5': [1, 1, 1, 1, 1]
  '6': [1, 1, 1, 1, 1, 1]
  '7': [1, 1, 1, 1, 1, 1, 1]
  '8': [1, 1, 1, 1, 1, 1, 1, 1]
  '9': [1, 1, 1, 1, 1, 1, 1, 1, 1]
}

type Reversed<S extends string, R extends string = ''> = S extends `${infer First}${infer Rest}`
  ? Reversed<Rest, `${First}${R}`>
  : R
type UnitsOf<S extends string> = S extends `${infer First}${string}`
  ? First extends keyof Units
    ? Units[First]
    : []
  : []
type Rest<S extends string> = S extends `${string}${infer R}` ? R : ''

// As on paper: from the last digits on, with what is carried.
type Added<A extends string, B extends string, Carry extends 1[] = [], Sum extends string = ''> = [
  A,
  B,
] extends ['', '']
  ? Carry extends []
    ? Sum
    : `1${Sum}`
  : `${[...UnitsOf<A>, ...UnitsOf<B>, ...Carry]['length'] & number}` extends infer Digits extends string
    ? Digits extends `1${infer Low extends keyof Units}`
      ? Added<Rest<A>, Rest<B>, [1], `${Low}${Sum}`>
      : Added<Rest<A>, Rest<B>, [], `${Digits}${Sum}`>
    : never

/** A + B for the type checker; `number` where one of them is not known to it. */
export type SumOfSizes<A extends number, B extends number> = number extends A | B
  ? number
  : Added<Reversed<`${A}`>, Reversed<`${B}`>> extends `${infer N extends number}`
    ? N
    : number
