import type { Template as LiquidNode } from 'liquidjs';
import { makeTemplateLabel, makeTemplateValue, showCell } from './cell-text.ts';
import { findColumns, findLooseWords, type TemplateProblem, type TemplateScope, walkNodes } from './template-columns.ts';

/** A piece of a template without logic: text, or the index of a column. */
export type Piece = string | number;

/** A template, parsed and bound to the columns of a table. */
export interface CompiledTemplate {
  /** Indexes of the columns it reads, each once. */
  readonly columns: readonly number[];
  /** Pieces to join if the template is only text and plain `{{ column }}`, or reads no column; null if it needs Liquid for each row. */
  readonly pieces: readonly Piece[] | null;
  /** The text around placeholders and tags, for lints. */
  readonly literalText: string;
  /** @throws Error if the template fails on this row */
  render(cells: readonly unknown[]): string;
}

const RESERVED = ['row', 'labels'];

/** Parses a template and finds every column it names in the table's header. One that reads no column is rendered at once. */
export function compileTemplate(
  text: string,
  scope: TemplateScope,
): { readonly template: CompiledTemplate | null; readonly problems: readonly TemplateProblem[] } {
  let nodes: LiquidNode[];
  try {
    nodes = scope.engine.parse(text);
  } catch (error) {
    return { template: null, problems: [describeLiquidError(error)] };
  }
  const looseWords = findLooseWords(nodes);
  const { used, usesWholeRow, problems } = findColumns(nodes, scope);
  if (looseWords.length > 0) return { template: null, problems: looseWords };
  if (problems.length > 0) return { template: null, problems };
  const columns = usesWholeRow ? scope.columns.map((_, index) => index) : [...used];
  const renderLiquid = makeLiquidRender(nodes, columns, scope);
  try {
    const pieces = columns.length === 0 ? [renderLiquid([])] : listPieces(nodes, scope);
    const render = pieces === null ? renderLiquid : (cells: readonly unknown[]) => joinPieces(pieces, cells);
    return { template: { columns, pieces, literalText: columns.length === 0 ? render([]) : listLiteralText(nodes), render }, problems: [] };
  } catch (error) {
    return { template: null, problems: [describeLiquidError(error)] };
  }
}

/** The text of pieces for a row. */
function joinPieces(pieces: readonly Piece[], cells: readonly unknown[]): string {
  let text = '';
  for (const piece of pieces) text += typeof piece === 'string' ? piece : showCell(cells[piece]);
  return text;
}

function makeLiquidRender(nodes: LiquidNode[], columns: readonly number[], scope: TemplateScope): (cells: readonly unknown[]) => string {
  const labels = scope.labels.map(makeTemplateLabel);
  return (cells) => {
    const row = Object.create(null) as Record<string, unknown>;
    // A missing key is empty, not undefined: strict variables are for names that no row has.
    for (const index of columns) row[scope.columns[index] ?? ''] = makeTemplateValue(cells[index] ?? null);
    const values = Object.assign(Object.create(null), row, { row, labels }) as object;
    return String(scope.engine.renderSync(nodes, values));
  };
}

/** Null if any node is more than text or a plain column. */
function listPieces(nodes: readonly LiquidNode[], scope: TemplateScope): readonly Piece[] | null {
  const pieces: Piece[] = [];
  for (const node of nodes) {
    const literal = readLiteral(node);
    const index = literal === null ? readPlainColumn(node, scope) : null;
    if (literal === null && index === null) return null;
    if (literal !== null && typeof pieces.at(-1) === 'string') pieces.push(`${pieces.pop()}${literal}`);
    else pieces.push(literal ?? index ?? '');
  }
  return pieces;
}

interface OutputNode {
  readonly value: { readonly filters: readonly unknown[]; readonly initial: { readonly postfix: readonly PropertyToken[] } };
}

interface PropertyToken {
  readonly variable?: unknown;
  readonly props?: readonly { readonly content?: unknown }[];
  readonly begin: number;
  readonly end: number;
  readonly input: string;
}

function readPlainColumn(node: LiquidNode, scope: TemplateScope): number | null {
  const token = readLoneProperty(node);
  if (token === null) return null;
  const names = (token.props ?? []).map((prop) => prop.content);
  const name =
    names.length === 2 && names[0] === 'row' ? names[1] : names.length === 1 && !RESERVED.includes(String(names[0])) ? names[0] : null;
  if (typeof name !== 'string') return null;
  const index = scope.columns.indexOf(name);
  return index === -1 ? null : index;
}

/** The property access of `{{ a.b }}`, without filters (rowmill's own output step counts as one). */
function readLoneProperty(node: LiquidNode): PropertyToken | null {
  if (!('value' in node)) return null;
  const { value } = node as unknown as OutputNode;
  const postfix = value?.initial?.postfix;
  if (postfix?.length !== 1 || value.filters.length !== 1) return null;
  const [token] = postfix;
  return token?.props === undefined || token.variable !== undefined ? null : token;
}

function readLiteral(node: LiquidNode): string | null {
  const text = (node as { str?: unknown }).str;
  return typeof text === 'string' ? text : null;
}

function listLiteralText(nodes: readonly LiquidNode[]): string {
  return [...walkNodes(nodes)].map((node) => readLiteral(node) ?? ' ').join('');
}

function describeLiquidError(error: unknown): TemplateProblem {
  const token = (error as { token?: { getPosition?(): number[] } }).token;
  const [line = 1, column = 1] = token?.getPosition?.() ?? [];
  return { line, column, message: (error as Error).message.replace(/, line:\d+, col:\d+$/, '') };
}
