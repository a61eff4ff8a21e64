/** What may follow the opening bracket of a group: nothing, `?:`, or a name. */
const PLAIN_GROUP = /^(?!\?)|^\?:|^\?<[A-Za-z_$]/;
/** References to what a group matched, and to word boundaries. */
const DOUBTFUL_ESCAPE = /^\\(?:[1-9]|k<|[bB]$)/;

/** The parts of a regular expression that strict mode refuses, and those not known to be accepted; each once, as written. */
export function listStrangeParts(pattern: string): { readonly refused: readonly string[]; readonly doubtful: readonly string[] } {
  const refused = new Set<string>();
  const doubtful = new Set<string>();
  let isInClass = false;
  for (const { 0: token, index } of pattern.matchAll(/\\k<|\\[\s\S]|[\s\S]/gu)) {
    if (token === ']') isInClass = false;
    if (isInClass) continue;
    if (token === '[') isInClass = true;
    else if (token === '(' && !PLAIN_GROUP.test(pattern.slice(index + 1))) refused.add(/^\(\?<?./.exec(pattern.slice(index))?.[0] ?? token);
    else if (DOUBTFUL_ESCAPE.test(token)) doubtful.add(token);
  }
  return { refused: [...refused], doubtful: [...doubtful] };
}
