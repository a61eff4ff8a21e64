/** A prompt around the definitions of its labels. */
export interface Defined {
  readonly before: string;
  /** Empty if fewer than two labels are defined: then `before` is the whole prompt. */
  readonly definitions: string;
  /** The words of the last one. */
  readonly last: string;
  readonly after: string;
}

interface Definition {
  /** Where it starts, with its list marker, and where its words do. */
  readonly start: number;
  readonly words: number;
}

/** Between the end of a definition and the next one; more is something else. */
const LONGEST_GAP = 160;
const SENTENCE_END = /[.;!?…](?=\s|$)|\n/g;
const MARKER = /[^\S\n]*(?:[-*•]|\d+[.)])?[^\S\n]*["'*`]*$/;

/**
 * Finds the definitions of labels (`bug: something is broken`) in a prompt of one message, where they are next to the row. They are recognised
 * only by the labels of the requested schema: no other request is considered, so that equal requests get equal answers.
 */
export function cutDefinitions(prompt: string, labels: readonly string[]): Defined {
  const chain = findChain(prompt, labels);
  const [first, last] = [chain[0], chain.at(-1)];
  if (first === undefined || last === undefined || chain.length < 2) return { before: prompt, definitions: '', last: '', after: '' };
  const inLines = chain.every(({ start }, index) => index === 0 || prompt.slice(chain[index - 1]?.words, start).includes('\n'));
  const end = inLines ? endOfLine(prompt, last.words) : endOfSentence(prompt, last.words);
  const [before, definitions, after] = [prompt.slice(0, first.start), prompt.slice(first.start, end), prompt.slice(end)];
  return { before, definitions, last: prompt.slice(last.words, end), after };
}

/** The longest sequence of definitions that follow each other. */
function findChain(prompt: string, labels: readonly string[]): readonly Definition[] {
  const found = labels.flatMap((label) => findDefinition(prompt, label) ?? []).sort((a, b) => a.start - b.start);
  let longest: readonly Definition[] = [];
  let chain: Definition[] = [];
  for (const one of found) {
    const previous = chain.at(-1);
    if (previous !== undefined && one.start - endOfSentence(prompt, previous.words) > LONGEST_GAP) chain = [];
    chain.push(one);
    if (chain.length > longest.length) longest = [...chain];
  }
  return longest;
}

/** The first place where a label is followed by a colon, an equals sign or a dash between blanks. */
function findDefinition(prompt: string, label: string): Definition | null {
  const name = label.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  const match = new RegExp(`(?<![\\p{L}\\p{N}_])${name}["'*\`]*(?:\\s*[:=]|[^\\S\\n]+[–-])[^\\S\\n]+(?=\\S)`, 'u').exec(prompt);
  if (match === null) return null;
  const marker = MARKER.exec(prompt.slice(0, match.index))?.[0].length ?? 0;
  return { start: match.index - marker, words: match.index + match[0].length };
}

function endOfSentence(text: string, from: number): number {
  SENTENCE_END.lastIndex = from;
  const end = SENTENCE_END.exec(text);
  return end === null ? text.length : end.index + 1;
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end + 1;
}
