import { defaultOperators, Tokenizer } from 'liquidjs';
import { isBlankCell } from '../request/cell-text.ts';
import type { TemplateProblem } from '../request/template-columns.ts';
import { containsCell, isEqual, orderCells } from './compare-cells.ts';

/** The condition for a row to be sent. */
export interface Condition {
  isMet(cells: readonly unknown[]): boolean;
}

type ReadValue = (cells: readonly unknown[]) => unknown;
type Test = (cells: readonly unknown[]) => boolean;

/** A token of Liquid's expressions; Liquid does not export their types. */
interface Token {
  readonly constructor: { readonly name: string };
  readonly begin: number;
  readonly content?: unknown;
  readonly props?: readonly { readonly content?: unknown }[];
  readonly variable?: unknown;
  getText(): string;
}

/** `isText`: whether one of the two is in quotes. */
const COMPARISONS: Readonly<Record<string, (left: unknown, right: unknown, isText: boolean) => boolean>> = {
  '==': isEqual,
  '!=': (left, right, isText) => !isEqual(left, right, isText),
  '<': (left, right) => (orderCells(left, right) ?? 0) < 0,
  '<=': (left, right) => (orderCells(left, right) ?? 1) <= 0,
  '>': (left, right) => (orderCells(left, right) ?? 0) > 0,
  '>=': (left, right) => (orderCells(left, right) ?? -1) >= 0,
  contains: containsCell,
};

class ConditionProblem extends Error {
  readonly at: number;
  readonly missingColumn: string | null;
  constructor(message: string, at: number, missingColumn: string | null = null) {
    super(message);
    this.at = at;
    this.missingColumn = missingColumn;
  }
}

/**
 * Compiles a condition as in an `{% if %}`: comparisons of columns and constants, joined by `and` and `or`, which Liquid evaluates from the
 * right. Cells have the same meaning in every table format. It is evaluated here, in a hundredth of the time Liquid takes.
 */
export function compileWhere(
  text: string,
  columns: readonly string[],
): { readonly condition: Condition | null; readonly problems: readonly TemplateProblem[] } {
  try {
    return { condition: { isMet: readCondition(text, columns) }, problems: [] };
  } catch (error) {
    if (!(error instanceof ConditionProblem)) throw error;
    const before = text.slice(0, error.at).split('\n');
    const place = { line: before.length, column: (before.at(-1) as string).length + 1, message: error.message };
    return { condition: null, problems: [error.missingColumn === null ? place : { ...place, missingColumn: error.missingColumn }] };
  }
}

function readCondition(text: string, columns: readonly string[]): Test {
  const tokens = readTokens(text);
  let next = 0;
  const nameAt = (index: number) => (tokens[index]?.constructor.name === 'OperatorToken' ? (tokens[index] as Token).getText() : null);
  const readOperand = (): ReadValue => {
    const token = tokens[next];
    if (token === undefined || nameAt(next) !== null)
      throw new ConditionProblem('a column or a constant is missing here', token?.begin ?? text.trimEnd().length);
    next += 1;
    return compileOperand(token, columns);
  };

  function readTest(): Test {
    let isMeant = true;
    for (; nameAt(next) === 'not'; next += 1) isMeant = !isMeant;
    const test = readComparison();
    return isMeant ? test : (cells) => !test(cells);
  }

  function readComparison(): Test {
    const first = next;
    const left = readOperand();
    const compare = COMPARISONS[nameAt(next) ?? ''];
    if (compare === undefined) return (cells) => isTrue(left(cells));
    next += 1;
    const right = readOperand();
    const isText = [tokens[first], tokens[next - 1]].some((token) => token?.constructor.name === 'QuotedToken');
    return (cells) => compare(left(cells), right(cells), isText);
  }

  /** Also for thousands of comparisons: none of them calls the next. */
  function readTests(): Test {
    const tests = [readTest()];
    const endsBy: boolean[] = [];
    for (let token = tokens[next]; token !== undefined; token = tokens[next]) {
      const joined = nameAt(next);
      if (joined !== 'and' && joined !== 'or')
        throw new ConditionProblem(`unexpected ${JSON.stringify(token.getText())}; comparisons are joined by and, or`, token.begin);
      next += 1;
      endsBy.push(joined === 'or');
      tests.push(readTest());
    }
    const last = tests.length - 1;
    // Evaluated from the right, an unmet left side of an "and" ends it, and a met left side of an "or".
    return (cells) => {
      for (let at = 0; at < last; at += 1) {
        const isMet = (tests[at] as Test)(cells);
        if (isMet === endsBy[at]) return isMet;
      }
      return (tests[last] as Test)(cells);
    };
  }

  return readTests();
}

function readTokens(text: string): readonly Token[] {
  if (/\{[{%]|[%}]\}/.test(text)) throw new ConditionProblem('write the condition without {{ }} and {% %}', 0);
  // Only the names of the operators are used.
  const tokenizer = new Tokenizer(text, defaultOperators);
  let tokens: readonly Token[];
  try {
    tokens = [...tokenizer.readExpressionTokens()] as unknown as readonly Token[];
  } catch (error) {
    const message = (error as Error).message.replace(/, line:\d+, col:\d+$/, '');
    const isBracket = message === 'invalid range syntax';
    throw new ConditionProblem(isBracket ? 'brackets group nothing; and, or are read from the right' : message, tokenizer.p);
  }
  tokenizer.skipBlank();
  if (tokenizer.p < text.length) {
    const rest = text.slice(tokenizer.p);
    const hint = rest.startsWith('=') ? '; equal is written ==' : /^(&&|\|\|)/.test(rest) ? '; comparisons are joined by and, or' : '';
    throw new ConditionProblem(`unexpected ${JSON.stringify(rest.slice(0, 20))}${hint}`, tokenizer.p);
  }
  if (tokens.length === 0) throw new ConditionProblem('says nothing', 0);
  return tokens;
}

const CONSTANTS: Readonly<Record<string, unknown>> = { true: true, false: false, nil: null, null: null, empty: null, blank: null };

function compileOperand(token: Token, columns: readonly string[]): ReadValue {
  const text = token.getText();
  switch (token.constructor.name) {
    case 'QuotedToken': {
      const value = token.content;
      if (text.length < 2 || text.at(-1) !== text[0]) throw new ConditionProblem('the quote that opens here is not closed', token.begin);
      return () => value;
    }
    case 'NumberToken': {
      if (Number.isSafeInteger(Number(text)) || !/^-?\d+$/.test(text)) return () => Number(text);
      throw new ConditionProblem(`the number ${text} is too long to be compared; write it in quotes`, token.begin);
    }
    case 'LiteralToken': {
      const value = CONSTANTS[text];
      return () => value;
    }
    case 'PropertyAccessToken':
      return compileColumn(token, columns);
    default:
      throw new ConditionProblem(`${text} cannot be used in a condition: compare columns and constants`, token.begin);
  }
}

function compileColumn(token: Token, columns: readonly string[]): ReadValue {
  const names = (token.props ?? []).map(({ content }) => content);
  if (token.variable !== undefined || !names.every((name) => typeof name === 'string' || typeof name === 'number'))
    throw new ConditionProblem(`${token.getText()} cannot be used in a condition: name a column`, token.begin);
  const [name, ...path] = (names[0] === 'row' && names.length > 1 ? names.slice(1) : names).map(String) as [string, ...string[]];
  const index = columns.indexOf(name);
  if (index === -1 && /^[-+.]?\d/.test(token.getText()))
    throw new ConditionProblem(`${token.getText()} is neither a column nor a number such as -1 or 0.5`, token.begin);
  if (index === -1) throw new ConditionProblem(`no column "${name}"`, token.begin, name);
  return (cells) => {
    let value = cells[index];
    for (const step of path) value = readProperty(value, step);
    return isBlankCell(value) ? null : value;
  };
}

function readProperty(value: unknown, name: string): unknown {
  if (name === 'size' && (typeof value === 'string' || Array.isArray(value))) return value.length;
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : null;
}

/** A blank cell is no value, and `false` is false in any spelling. */
function isTrue(value: unknown): boolean {
  return value !== null && value !== undefined && value !== false && !(typeof value === 'string' && /^false$/i.test(value.trim()));
}
