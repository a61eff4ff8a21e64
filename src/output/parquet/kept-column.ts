import type { SchemaElement } from 'hyparquet-writer';
import type { StoredColumn } from '../../core/row.ts';
import { formatCell } from '../csv-text.ts';
import { chooseStoreCell, type StoreCell } from './store-cell.ts';

/** A column to be written: its metadata, including nested columns, and how its cells are stored. */
export interface ParquetColumn {
  readonly name: string;
  readonly elements: readonly SchemaElement[];
  readonly store: StoreCell;
}

/** A column of text: other values become compact JSON. */
export function makeTextColumn(name: string): ParquetColumn {
  const element: SchemaElement = {
    name,
    type: 'BYTE_ARRAY',
    converted_type: 'UTF8',
    logical_type: { type: 'STRING' },
    repetition_type: 'OPTIONAL',
  };
  return { name, elements: [element], store: (cell) => (isMissing(cell) ? null : formatCell(cell)) };
}

/** A column of the input with the types it was read with, any value of which may be missing; text if the types cannot be written. */
export function makeKeptColumn(name: string, stored: StoredColumn | null): ParquetColumn {
  const node = stored === null || elementOf(stored).repetition_type === 'REPEATED' ? null : makeNode(stored);
  if (node === null) return makeTextColumn(name);
  const [top, ...within] = node.elements as [SchemaElement, ...SchemaElement[]];
  return { name, elements: [{ ...top, name, repetition_type: 'OPTIONAL' }, ...within], store: node.store };
}

interface StoredNode {
  readonly elements: readonly SchemaElement[];
  readonly store: StoreCell;
}

/** Lists and maps in the form the format requires today; null for all others. */
function makeNode(column: StoredColumn): StoredNode | null {
  const element = elementOf(column);
  const [only] = column.children;
  if (only === undefined) {
    const leaf = chooseStoreCell(element);
    return leaf === null ? null : { elements: [leaf.element], store: unlessMissing(leaf.store) };
  }
  const isRepeated = column.children.length === 1 && elementOf(only).repetition_type === 'REPEATED';
  const children = (isRepeated ? only : column).children.map(makeNode);
  const nodes = children.filter((child) => child !== null);
  if (nodes.length !== children.length || children.length === 0) return null;
  const elements = [element, ...(isRepeated ? [elementOf(only)] : []), ...nodes.flatMap((node) => node.elements)];
  const [first, second] = nodes as [StoredNode, StoredNode | undefined];
  if (!isRepeated) return { elements, store: unlessMissing(storeStruct(column.children, nodes)) };
  if (element.converted_type === 'LIST' && second === undefined && elementOf(only).name !== 'array')
    return { elements, store: unlessMissing((cell) => (cell as readonly unknown[]).map(first.store)) };
  const [key] = only.children as [StoredColumn];
  const isMap = element.converted_type === 'MAP' && only.children.map(({ element: { name } }) => name).join() === 'key,value';
  // A key became text when it was read: for most types it can be restored.
  if (!isMap || second === undefined || key.children.length > 0 || elementOf(key).type === 'BOOLEAN') return null;
  return {
    elements,
    store: unlessMissing((cell) => Object.entries(cell as object).map(([key, value]) => [first.store(key), second.store(value)])),
  };
}

function storeStruct(fields: readonly StoredColumn[], nodes: readonly StoredNode[]): StoreCell {
  return (cell) => {
    const struct = Object.create(null) as Record<string, unknown>;
    for (const [place, { element }] of fields.entries())
      struct[element.name] = nodes[place]?.store((cell as Record<string, unknown>)[element.name]);
    return struct;
  };
}

function unlessMissing(store: StoreCell): StoreCell {
  return (cell) => (isMissing(cell) ? null : store(cell));
}

function isMissing(cell: unknown): boolean {
  return cell === undefined || cell === null;
}

function elementOf({ element }: StoredColumn): SchemaElement {
  return element as SchemaElement;
}
