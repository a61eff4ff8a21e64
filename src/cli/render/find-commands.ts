/** Options without a value: the word after one is not part of the command. */
export const BARE_OPTIONS = [
  ...['adopt-copy', 'answers', 'fresh', 'help', 'json', 'no-wait', 'remote', 'retry-failed', 'simulate', 'watch', 'yes'],
];

const QUOTED = /'(?:[^']|'\\'')*'/.source;
/** Up to the punctuation of the sentence. */
const PLAIN = /[^\s"”;)']*[^\s"”;)',.:]/.source;
const OPTION = `--(?:${BARE_OPTIONS.join('|')})(?![\\w-])|--?[a-zA-Z][\\w-]*(?:[ =](?:${QUOTED}|(?!-)${PLAIN}))?`;
const ASIDE = /(?<![\w/.-])(?:cd|cp|mv|curl)/.source;
/** What no sentence would contain, and whatever follows the name of another program. */
const OPERAND = `(?<=${ASIDE} )${PLAIN}|(?=${/[^\s"”;)']*(?:[/@=_\d~-]|[.:][^\s"”;)',.:])/.source})${PLAIN}|${/\.{1,2}(?=\s|$)|[A-Z]+|prev\b|last\b/.source}`;
const WORD = `(?:${QUOTED}|${OPTION}|${OPERAND})`;
const START = `(?:(?:npx )?rowmill [a-z]+|${ASIDE}(?= ))`;
const PART = `${START}(?: ${WORD})*`;
/** Commands of ours, and what is typed before them. */
const COMMAND = new RegExp(`${PART}(?: && ${PART})*`, 'g');
const COMMAND_WORD = new RegExp(`(?: && )?${START}| ${WORD}`, 'g');
/** What encloses a command in a sentence. */
const PAIRS: ReadonlySet<string> = new Set(['""', '“”', '()', '``']);

/** A part of a sentence. */
export interface Piece {
  readonly text: string;
  /** Its words, if it is a command with arguments; each but the first begins with a blank. */
  readonly words: readonly string[] | null;
}

/** A sentence as the commands in it, with their arguments, and what is between them. */
export function splitCommands(line: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const { 0: text, index } of line.matchAll(COMMAND)) {
    const words = text.match(COMMAND_WORD) ?? [];
    if (words.length < 2) continue;
    pieces.push({ text: line.slice(end, index), words: null }, { text, words });
    end = index + text.length;
  }
  return [...pieces, { text: line.slice(end), words: null }];
}

/** What is left of a sentence around a command that is taken out of it: no quotes or brackets around nothing, and no punctuation before the rest. */
export function closeGap(before: string, after: string): readonly [before: string, after: string] {
  let [head, rest] = [before, after];
  while (PAIRS.has(`${head.at(-1) ?? ''}${rest[0] ?? ''}`)) [head, rest] = [head.slice(0, -1), rest.slice(1)];
  return [head, rest.replace(/^[,.;:]+(?= |$)/, '')];
}
