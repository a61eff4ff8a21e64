import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { parse } from 'csv-parse/sync';
import { type Cleanup, makeWorld, type World } from './run-world.ts';

/** What can become of a file that nobody looks after. */
export const DAMAGES: Readonly<Record<string, (file: string) => void>> = {
  empty: (file) => fs.writeFileSync(file, ''),
  truncated: (file) => fs.truncateSync(file, Math.floor(fs.statSync(file).size * 0.6)),
  zeros: (file) => fs.writeFileSync(file, Buffer.alloc(fs.statSync(file).size)),
  'another object': (file) => fs.writeFileSync(file, '{"schema":"rowmill.summary/1","summary":{"schema":"rowmill.summary/1"}}\n'),
  'a list': (file) => fs.writeFileSync(file, '[1, 2]\n'),
  null: (file) => fs.writeFileSync(file, 'null\n'),
  huge: (file) => fs.truncateSync(file, 3 * 1024 ** 3),
  gone: (file) => fs.rmSync(file),
  'a folder': (file) => replaceBy(file, () => fs.mkdirSync(file)),
  'a link': (file) => replaceBy(file, () => fs.symlinkSync('/dev/zero', file)),
  'a FIFO': (file) => replaceBy(file, () => spawnSync('mkfifo', [file])),
};

function replaceBy(file: string, put: () => void): void {
  fs.rmSync(file, { recursive: true });
  put();
}

/** Files that could be made again: of the state itself and of its last run. */
function listDerivedFiles(stateDirectory: string): readonly string[] {
  const runs = fs.readdirSync(path.join(stateDirectory, 'runs')).toSorted();
  const ofRun = ['summary.json', 'report.json', 'rows', 'job.yaml'].map((name) =>
    path.join(stateDirectory, 'runs', runs.at(-1) ?? '', name),
  );
  return [path.join(stateDirectory, 'settled.jsonl'), ...ofRun];
}

/** What a reader of the table is after. */
export function readAnswers(world: World): readonly string[] {
  const rows = parse(world.read('out.csv'), { columns: true }) as Record<string, string>[];
  return rows.map(({ id, label, summary, _status }) => [id, label, summary, _status].join('|'));
}

/** A finished job whose derived files are all damaged in one way is run again with a row more. */
export async function checkDamage(t: Cleanup, kind: string): Promise<void> {
  const world = await makeWorld(t);
  await world.run();
  const answers = readAnswers(world);
  const bill = world.simulator.bill().length;
  for (const file of listDerivedFiles(world.stateDirectory)) DAMAGES[kind]?.(file);
  fs.appendFileSync(world.path('in.csv'), '"r99","one more"\n');
  const { summary, warnings } = await world.run();
  assert.equal(summary.exitCode, 0);
  assert.equal(world.simulator.bill().length, bill + 1, 'the new row alone is paid for');
  assert.deepEqual(readAnswers(world).slice(0, answers.length), answers);
  if (kind === 'gone') return;
  assert.ok(
    warnings.some((warning) => warning.includes('summary.json: ') && warning.endsWith('it is left out')),
    warnings.join('\n'),
  );
}
