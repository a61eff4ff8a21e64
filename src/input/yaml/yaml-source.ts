import { isMap, isNode, isScalar, LineCounter, type Node, type Pair, parseDocument } from 'yaml';
import type { Place, Problem } from '../../core/errors.ts';
import type { JobSource, Path } from '../../core/problem-path.ts';
import { listFaults } from './yaml-faults.ts';

/** More than a person writes by hand, less than a bomb. */
const MAX_ALIASES = 50;

/** Errors after the first few are mostly consequences of them. */
const MAX_FAULTS = 5;

export interface YamlReading {
  readonly value: unknown;
  readonly source: JobSource;
  readonly problems: readonly Problem[];
}

/** Reads YAML 1.2 (core schema: no custom tags, no duplicate keys, few aliases) and remembers the position of everything. */
export function readYaml(text: string, file: string): YamlReading {
  const lines = new LineCounter();
  const document = parseDocument(text, { version: '1.2', schema: 'core', uniqueKeys: true, lineCounter: lines, prettyErrors: false });
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  const faults = listFaults(document, text, lines);
  const problems: Problem[] = faults.slice(0, MAX_FAULTS).map(({ offset, message }) => ({ place: at(offset), message }));
  if (faults.length > MAX_FAULTS) problems.push({ place: null, message: `${faults.length - MAX_FAULTS} more of this kind in ${file}` });
  const source: JobSource = {
    file,
    has: (path) => document.hasIn(path),
    placeOf: (path) => at(findStart(document.contents, path)),
    placeInText: (path, line, column) => {
      const node = document.getIn(path, true);
      return isScalar(node) ? locateInScalar({ node, text, line, column, at }) : at(findStart(document.contents, path));
    },
  };
  if (problems.length > 0) return { value: undefined, source, problems };
  try {
    return { value: document.toJS({ maxAliasCount: MAX_ALIASES }), source, problems };
  } catch (error) {
    return { value: undefined, source, problems: [{ place: at(0), message: `not usable YAML: ${(error as Error).message}` }] };
  }
}

function findStart(root: Node | null, path: Path): number {
  let node: unknown = root;
  let start = root?.range?.[0] ?? 0;
  for (const step of path) {
    if (isMap(node)) {
      const pair: Pair | undefined = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step));
      if (pair === undefined) return start;
      if (isNode(pair.key)) start = pair.key.range?.[0] ?? start;
      node = pair.value;
    } else {
      const item: unknown =
        isNode(node) && 'get' in node ? (node as { get(key: unknown, keep: boolean): unknown }).get(step, true) : undefined;
      if (!isNode(item)) return start;
      start = item.range?.[0] ?? start;
      node = item;
    }
  }
  return start;
}

interface TextPosition {
  readonly node: { readonly range?: readonly [number, number, number] | null; readonly type?: string; readonly value: unknown };
  readonly text: string;
  readonly line: number;
  readonly column: number;
  readonly at: (offset: number) => Place;
}

/** Exact for block literals and for one-line scalars without escapes; the scalar's start for the others. */
function locateInScalar({ node, text, line, column, at }: TextPosition): Place {
  const [start, end] = node.range ?? [0, 0];
  const raw = text.slice(start, end);
  const content = String(node.value);
  if (node.type === 'BLOCK_LITERAL') {
    const wanted = content.split('\n')[line - 1] ?? '';
    const rawLine = raw.split('\n')[line] ?? '';
    const indent = rawLine.length - wanted.length - (rawLine.endsWith('\r') ? 1 : 0);
    const place = at(start);
    return { file: place.file, line: place.line + line, column: Math.max(indent, 0) + column };
  }
  const inner = node.type === 'PLAIN' ? 0 : 1;
  const isExact = raw.slice(inner, inner + content.length) === content && !content.includes('\n');
  return isExact ? at(start + inner + column - 1) : at(start);
}
