import { type Document, isMap, isSeq, type LineCounter, parse, visit, type YAMLError } from 'yaml';
import { clip } from '../../core/bounds/clip.ts';

/** What is wrong with a YAML text, and where. */
export interface YamlFault {
  readonly offset: number;
  readonly message: string;
}

/** A key with its text on the same line. */
const KEY_AND_TEXT = /^(\s*(?:- +)?[\w.-]+:[ \t]+)(\S.*?)\s*$/;
/** What makes a text something else unless it is quoted. A map in braces is no text. */
const IS_TEXT = /^(?!\{[^{])(["'`@%*&]|\[.*\{\{|\{\{|.*:( |$))/;
/** Faults that such a text leads to. */
const OF_TEXT: ReadonlySet<string> = new Set(['BLOCK_AS_IMPLICIT_KEY', 'UNEXPECTED_TOKEN', 'BAD_SCALAR_START', 'BAD_ALIAS']);
const MAX_LINE = 160;

/** All faults of a document in the order they are found, usual slips with the line as it should be; empty if it can be used. */
export function listFaults(document: Document, text: string, lines: LineCounter): readonly YamlFault[] {
  const found = [
    ...[...document.errors, ...document.warnings].map((fault) => explain(fault, text, lines)),
    ...findOddKeys(document, text, lines),
  ];
  // A slip may lead to several faults.
  return [...new Map(found.map((fault) => [fault.offset, fault])).values()];
}

function explain({ code, message, pos: [offset] }: YAMLError, text: string, lines: LineCounter): YamlFault {
  const slip = OF_TEXT.has(code) ? findUnquoted(text, offset, lines) : null;
  if (slip !== null) return slip;
  if (code === 'TAB_AS_INDENT') {
    const meant = readLine(text, offset, lines).line.replace(/^\s+/, (indent) => indent.replaceAll('\t', '  '));
    return { offset, message: `indent with spaces, not with tabs: "${clip(meant, MAX_LINE)}"` };
  }
  if (code === 'DUPLICATE_KEY') return { offset, message: 'this key occurs twice' };
  if (code === 'TAG_RESOLVE_FAILED') return { offset, message: 'tags are not allowed in a job file' };
  return { offset, message: `not valid YAML: ${message}` };
}

/** Braces without quotes are read as a map that is the key of a map. */
function findOddKeys(document: Document, text: string, lines: LineCounter): readonly YamlFault[] {
  const found: YamlFault[] = [];
  visit(document, {
    Pair(_, { key }) {
      if (!isMap(key) && !isSeq(key)) return undefined;
      const [offset = 0, end = 0] = key.range ?? [];
      const message = isMap(key) ? `a text in braces needs quotes: '{${text.slice(offset, end)}}'` : 'a key is a word, not a list';
      found.push(findUnquoted(text, offset, lines) ?? { offset, message });
      return visit.SKIP;
    },
  });
  return found;
}

/** A text that would have to be quoted, on the line of an offset. */
function findUnquoted(text: string, offset: number, lines: LineCounter): YamlFault | null {
  const { line, start } = readLine(text, offset, lines);
  const [, key = '', written = ''] = KEY_AND_TEXT.exec(line) ?? [];
  if (!IS_TEXT.test(written)) return null;
  const quote = /^(["'])(?=.).*\1$/.exec(written)?.[1];
  const meant = quote === undefined ? written : written.slice(1, -1);
  const quoted = `'${meant.replaceAll("'", "''")}'`;
  // Escapes mean nothing in single quotes.
  const isSame = !meant.includes('\\') && parse(quoted) === meant;
  const example = isSame ? `: ${clip(`${key.trim()} ${quoted}`, MAX_LINE)}` : '';
  return { offset: start + key.length, message: `this text needs single quotes around all of it, or lines of its own after |${example}` };
}

function readLine(text: string, offset: number, lines: LineCounter): { readonly line: string; readonly start: number } {
  const start = offset - (lines.linePos(offset).col - 1);
  return { line: text.slice(start).split(/\r?\n/, 1)[0] ?? '', start };
}
