/** What a library has no way to do: its cell in the table says so, and the others go on. Without words it is not the library's business. */
export class Unsupported extends Error {}
