import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import type { Bench } from '../harness/line.ts';

const MEGABYTE = 1e6;

export const bench: Bench = {
  order: 9,
  heading: 'Size',
  introduction:
    'The package that `npm pack` builds, and what `npm install` adds to it: the files of every package that is not a development dependency. Before the program was bundled (2026-11-29): 0.8 MB packed, 2.9 MB unpacked, and 63.5 MB of node_modules in 49 packages.',
  rows: { full: 0, small: null },
  async measure() {
    const [packed] = JSON.parse(execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { encoding: 'utf8' })) as [
      { size: number; unpackedSize: number; entryCount: number },
    ];
    const listed = execFileSync('npm', ['ls', '--omit=dev', '--all', '--parseable'], { encoding: 'utf8' }).trim().split('\n');
    const packages = listed.filter((path) => path.includes(`${sep}node_modules${sep}`));
    const megabytes = (bytes: number, of: string) => ({ value: bytes / MEGABYTE, of, most: null });
    return [
      {
        what: 'npm pack',
        measured: null,
        figures: [megabytes(packed.size, 'MB packed'), megabytes(packed.unpackedSize, 'MB unpacked')],
        facts: `${packed.entryCount} files`,
      },
      {
        what: 'node_modules in production',
        measured: null,
        figures: [
          megabytes(
            packages.reduce((sum, path) => sum + sumBytes(path), 0),
            'MB',
          ),
        ],
        facts: `${packages.length} packages`,
      },
    ];
  },
};

/** Only a package's own files: its dependencies are listed separately. */
function sumBytes(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? sum : sum + sumBytes(path);
    return entry.isFile() ? sum + statSync(path).size : sum;
  }, 0);
}
