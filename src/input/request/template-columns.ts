import type { Liquid, Template as LiquidNode } from 'liquidjs';

/** A problem in a template, by its line and column in the template's text, from 1. */
export interface TemplateProblem {
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** Set if the problem is a column the table does not have. */
  readonly missingColumn?: string;
}

/** What a template may use besides the row. */
export interface TemplateScope {
  readonly engine: Liquid;
  readonly columns: readonly string[];
  readonly labels: readonly { readonly name: string; readonly description: string }[];
}

/** The columns a template reads. */
export interface FoundColumns {
  readonly used: ReadonlySet<number>;
  /** Whether a column is selected by a value: then the whole row is needed. */
  readonly usesWholeRow: boolean;
  readonly problems: TemplateProblem[];
}

/** Every column named by a template, looked up in the header. */
export function findColumns(nodes: LiquidNode[], scope: TemplateScope): FoundColumns {
  const used = new Set<number>();
  const problems: TemplateProblem[] = [];
  let usesWholeRow = false;
  const { globals } = scope.engine.analyzeSync(nodes, { partials: false });
  for (const variable of Object.values(globals).flat()) {
    const { row: line, col: column } = variable.location;
    const [root, property] = variable.segments;
    if (root === 'labels') {
      if (scope.labels.length === 0) problems.push({ line, column, message: `the job has no labels${hintRow('labels', scope)}` });
      continue;
    }
    const name = root === 'row' ? property : root;
    if (typeof name === 'object') usesWholeRow = true;
    else if (name === undefined)
      problems.push({ line, column, message: `row is the whole row; name a column, as in {{ row["name"] }}${hintRow('row', scope)}` });
    else {
      const index = scope.columns.indexOf(String(name));
      const dotted = variable.segments.join('.');
      if (index === -1 && scope.columns.includes(dotted))
        problems.push({ line, column, message: `a column with a dot is written {{ row["${dotted}"] }}` });
      else if (index === -1) problems.push({ line, column, message: `no column "${name}"`, missingColumn: String(name) });
      else used.add(index);
    }
  }
  return { used, usesWholeRow, problems };
}

function hintRow(name: string, scope: TemplateScope): string {
  return scope.columns.includes(name) ? `; the column of that name is {{ row["${name}"] }}` : '';
}

/** What follows the value of an output and is not a filter. */
const LOOSE_WORDS = /^\{\{-?\s*(\w[\w-]*)\s+([^|}\s-][^|}]*?)\s*(?:\||-?\}\})/;

/** `{{ Review Text }}` would be read as `{{ Review }}`: Liquid drops what follows a value. */
export function findLooseWords(nodes: readonly LiquidNode[]): TemplateProblem[] {
  const problems: TemplateProblem[] = [];
  for (const { token } of walkNodes(nodes)) {
    const words = LOOSE_WORDS.exec(token.getText());
    if (words === null) continue;
    const [line = 1, column = 1] = token.getPosition();
    problems.push({
      line,
      column,
      message: `unexpected "${words[2]}"; a column with such a name is written {{ row["${words[1]} ${words[2]}"] }}`,
    });
  }
  return problems;
}

/** The nodes of a template, including nested ones. */
export function* walkNodes(nodes: readonly LiquidNode[]): Generator<LiquidNode> {
  for (const node of nodes) {
    yield node;
    const children = node.children?.(false, true).next().value;
    if (Array.isArray(children)) yield* walkNodes(children as LiquidNode[]);
  }
}
