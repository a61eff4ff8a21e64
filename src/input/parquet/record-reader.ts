import type { SchemaTree } from 'hyparquet';
import { stringifyExactly } from '../../core/exact/exact-number.ts';
import type { LeafReader } from './leaf-reader.ts';

/** Reads the next value of a column, including nested ones. */
export type ReadValue = () => unknown;

/** The nesting depth of a node, in the levels of its values. */
interface Depth {
  readonly definition: number;
  readonly repetition: number;
}

/**
 * Compiles how a column's values are assembled from those of its leaves: lists are lists, structs and maps objects without a prototype, missing values
 * null.
 */
export function compileColumn(column: SchemaTree, leafOf: (leaf: SchemaTree) => LeafReader): ReadValue {
  return compileNode(column, { definition: 0, repetition: 0 }, leafOf);
}

/** The leaves below a node, itself if it is one. */
export function listLeaves(node: SchemaTree): readonly SchemaTree[] {
  return node.children.length === 0 ? [node] : node.children.flatMap(listLeaves);
}

function compileNode(node: SchemaTree, depth: Depth, leafOf: (leaf: SchemaTree) => LeafReader): ReadValue {
  const repetitionType = node.element.repetition_type;
  if (repetitionType === 'REPEATED') return compileList(node, depth, (inner) => compileContent(node, inner, leafOf), leafOf);
  const isOptional = repetitionType === 'OPTIONAL';
  const inner = isOptional ? { ...depth, definition: depth.definition + 1 } : depth;
  const content = compileContent(node, inner, leafOf);
  if (!isOptional || node.children.length === 0) return content;
  const [first, skip] = openLeaves(node, leafOf);
  return () => (first.definition() < inner.definition ? skip(null) : content());
}

/** A repeated node. */
function compileList(
  node: SchemaTree,
  depth: Depth,
  compileItem: (depth: Depth) => ReadValue,
  leafOf: (leaf: SchemaTree) => LeafReader,
): () => unknown[] {
  const inner = { definition: depth.definition + 1, repetition: depth.repetition + 1 };
  const readItem = compileItem(inner);
  const [first, skip] = openLeaves(node, leafOf);
  return () => {
    if (first.definition() < inner.definition) return skip([]);
    const items: unknown[] = [];
    do items.push(readItem());
    while (first.repetition() === inner.repetition);
    return items;
  };
}

/** The leaf that shows how deep the next value is, and the step that skips a missing one. */
function openLeaves(node: SchemaTree, leafOf: (leaf: SchemaTree) => LeafReader) {
  const leaves = listLeaves(node).map(leafOf);
  const skip = <Value>(value: Value): Value => {
    for (const leaf of leaves) leaf.take();
    return value;
  };
  return [leaves[0] as LeafReader, skip] as const;
}

/** The content of a node that is present. */
function compileContent(node: SchemaTree, depth: Depth, leafOf: (leaf: SchemaTree) => LeafReader): ReadValue {
  const [only] = node.children;
  if (only === undefined) return leafOf(node).take;
  const repeated = node.children.length === 1 && only.element.repetition_type === 'REPEATED' ? only : null;
  if (repeated !== null && isAnnotated(node, 'LIST')) {
    const item = isItemItself(node, repeated) ? null : (repeated.children[0] as SchemaTree);
    return compileList(
      repeated,
      depth,
      (inner) => (item === null ? compileContent(repeated, inner, leafOf) : compileNode(item, inner, leafOf)),
      leafOf,
    );
  }
  if (repeated !== null && (isAnnotated(node, 'MAP') || isAnnotated(node, 'MAP_KEY_VALUE'))) {
    const readPairs = compileList(repeated, depth, (inner) => compilePair(repeated, inner, leafOf), leafOf);
    return () => makeMap(readPairs() as (readonly [string, unknown])[]);
  }
  const fields = node.children.map((child) => [child.element.name, compileNode(child, depth, leafOf)] as const);
  return () => makeObject(fields.map(([name, read]) => [name, read()]));
}

function compilePair({ children }: SchemaTree, depth: Depth, leafOf: (leaf: SchemaTree) => LeafReader): ReadValue {
  const [readKey, readValue] = children.map((child) => compileNode(child, depth, leafOf));
  return () => {
    const key = readKey?.();
    return [typeof key === 'object' ? stringifyExactly(key) : String(key), readValue?.() ?? null];
  };
}

function isAnnotated({ element }: SchemaTree, type: string): boolean {
  return element.converted_type === type || element.logical_type?.type === type;
}

/** Lists of old writers have no separate level for the item (Parquet's LogicalTypes.md, rules of backward compatibility; seen 2026-11-29). */
function isItemItself(list: SchemaTree, { element, children }: SchemaTree): boolean {
  if (children.length !== 1) return true;
  return element.name === 'array' || element.name === `${list.element.name}_tuple` || children[0]?.element.repetition_type === 'REPEATED';
}

/** @throws Error for a repeated key: one of its values would be lost */
function makeMap(entries: readonly (readonly [string, unknown])[]): object {
  if (new Set(entries.map(([key]) => key)).size < entries.length) throw new Error('a map contains a key twice');
  return makeObject(entries);
}

function makeObject(entries: readonly (readonly [string, unknown])[]): object {
  const object = Object.create(null) as Record<string, unknown>;
  for (const [key, value] of entries) object[key] = value;
  return object;
}
