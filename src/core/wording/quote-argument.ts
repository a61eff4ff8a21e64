/** A value as it has to be typed in a shell. */
export function quoteArgument(text: string): string {
  return /^[\w./:@=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A path as it has to be typed: one that starts with a dash would be an option. */
export function quotePath(path: string): string {
  return quoteArgument(path.startsWith('-') ? `./${path}` : path);
}
