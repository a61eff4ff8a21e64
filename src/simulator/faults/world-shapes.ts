import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What a real provider was seen to send; the fields are documented in fixtures/world/README.md. */
export interface WorldShape {
  readonly name: string;
  readonly kind: 'answer' | 'line' | 'call' | 'batch' | 'list' | 'download';
  readonly endpoint: string;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly text?: string;
  readonly line?: Readonly<Record<string, unknown>>;
  /** The file of a line; absent: decided by its status. */
  readonly file?: 'output' | 'error';
}

/** Read when a plan first needs one. */
let shapes: ReadonlyMap<string, WorldShape> | null = null;

/** @throws Error that suggests the closest names */
export function findWorldShape(name: string): WorldShape {
  shapes ??= readShapes();
  const shape = shapes.get(name);
  if (shape !== undefined) return shape;
  const words = name.split('-');
  const closest = [...shapes.keys()]
    .map((known) => ({ known, distance: countEdits(name, known) - words.filter((word) => known.split('-').includes(word)).length * 3 }))
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, 3);
  throw new Error(`no shape is called "${name}"; the closest are ${closest.map(({ known }) => known).join(', ')}`);
}

function readShapes(): ReadonlyMap<string, WorldShape> {
  const folder = findFolder();
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  const all = files.flatMap((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as readonly WorldShape[]);
  return new Map(all.map((shape) => [shape.name, shape]));
}

/** The package's own `fixtures/world`, wherever the program was built to. */
function findFolder(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); folder !== dirname(folder); folder = dirname(folder)) {
    const found = join(folder, 'fixtures', 'world');
    if (existsSync(found)) return found;
  }
  throw new Error('this installation has no fixtures/world');
}

/** The edit distance of two words. */
function countEdits(a: string, b: string): number {
  let before = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const now = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const isSame = a[row - 1] === b[column - 1];
      const kept = (before[column - 1] as number) + (isSame ? 0 : 1);
      now.push(Math.min(kept, (before[column] as number) + 1, (now[column - 1] as number) + 1));
    }
    before = now;
  }
  return before[b.length] as number;
}
