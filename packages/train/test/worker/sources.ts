/** What a thread needs to run sources. */
export const sources: { readonly execArgv: string[] } = {
  execArgv: ['--conditions=@tapeflow/source', '--import', new URL('./sources.mjs', import.meta.url).href],
}
