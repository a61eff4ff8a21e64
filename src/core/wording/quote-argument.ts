/** A value as it has to be typed in a shell. */
export function quoteArgument(text: string): string {
  return /^[\w./:@=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
