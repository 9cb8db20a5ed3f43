/** What a library has no way to do: its cell in the table says so, and the others go on. */
export class Unsupported extends Error {}
