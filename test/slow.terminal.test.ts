import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { startSimulator } from '../src/simulator/start.ts';
import { createWorld, REVIEW_JOB, REVIEWS, type World } from './helpers/command-line.ts';
import { PROGRAM } from './helpers/program.ts';
import { projectRoot } from './helpers/project-root.ts';
import { findTerminalProblem, runInTerminal } from './helpers/terminal.ts';

const CTRL_C = '\u0003';
const problem = findTerminalProblem();
if (problem !== null) console.log(`skipped: ${problem}`);

/** What differs from run to run, by something as wide. */
function normalize(text: string): string {
  return text
    .replaceAll(/\d{8}-\d{4}-\w{10}/g, 'YYYYMMDD-HHMM-runrunrun0')
    .replaceAll(/batch_[0-9a-f]{28}/g, 'batch_0123456789abcdef0123456789ab')
    .replaceAll(/127\.0\.0\.1([:-])\d{5}/g, '127.0.0.1$1PORT0')
    .replaceAll(/\b\d\d:\d\d\b/g, 'MM:SS')
    .replaceAll(/\b\d+s (ago|old)/g, 'Ns $1')
    .replaceAll(/for \d+ s\b/g, 'for N s');
}

describe('a terminal of 80 and of 140 columns', { skip: problem ?? false }, () => {
  let world: World;
  beforeEach(() => {
    const job = REVIEW_JOB.replace('model: gpt-4o-mini', 'model: gpt-6-luna').replace('{ max_', '{ reasoning_effort: none, max_');
    world = createWorld({
      'reviews.csv': REVIEWS,
      'job.yaml': job,
      'live.yaml': job.replace('name: reviews', 'name: live-reviews\nmode: live').replace('out.csv', 'live.csv'),
    });
  });
  afterEach(() => world.dispose());

  /** Types one command line. */
  const see = (columns: number, args: string, options: Partial<Parameters<typeof runInTerminal>[1]> = {}) =>
    runInTerminal(`"${process.execPath}" "${PROGRAM}" ${args}`, {
      cwd: world.folder,
      columns,
      ...options,
      env: { PATH: process.env.PATH ?? '', HOME: world.folder, NO_COLOR: '1', ROWMILL_POLL_MAX: '50ms', ...options.env },
    });

  for (const columns of [80, 140]) {
    it(`shows plan, run, status and Ctrl-C as recorded: ${columns}`, async () => {
      const simulator = await startSimulator({ latencyMs: 600_000 });
      try {
        const hanging = await see(columns, `run live.yaml --yes --fresh --base-url ${simulator.url}`, {
          env: { OPENAI_API_KEY: 'sk-simulator' },
          typed: [
            { after: /in flight 4\/\d+, the oldest for/, keys: CTRL_C },
            // Signals close together are one.
            { after: /Finishing.*in flight 4/s, keys: CTRL_C, pauseMs: 1000 },
          ],
        });
        const plan = await see(columns, 'plan job.yaml --fresh --prompts 1');
        const run = await see(columns, `run job.yaml --simulate --fresh --state-dir state-${columns}`);
        const status = await see(columns, `status job.yaml --state-dir state-${columns}`);
        const list = await see(columns, `status --state-dir state-${columns}`);
        const seen = { plan, run, status, list };
        assert.deepEqual(
          [hanging, ...Object.values(seen)].map(({ exitCode }) => exitCode),
          [130, 0, 0, 0, 0],
        );
        const screens = {
          'run of calls that hang': hanging.before[0] ?? '',
          'after Ctrl-C': hanging.before[1] ?? '',
          'after the second': hanging.text,
          ...Object.fromEntries(Object.entries(seen).map(([name, { text }]) => [name, text])),
          // How long ago something was decides how wide a column is.
          list: list.text.replaceAll(/ {2,}/g, '  '),
        };
        compare(columns, screens);
      } finally {
        await simulator.close();
      }
    });
  }
});

/** Holds screens against those that were recorded; UPDATE_GOLDEN=1 records them anew. */
function compare(columns: number, screens: Readonly<Record<string, string>>): void {
  for (const line of Object.values(screens).join('\n').split('\n')) assert.ok(line.length <= columns, line);
  const text = Object.entries(screens)
    .map(([name, screen]) => `${`== ${name} `.padEnd(columns, '=')}\n${normalize(screen)}\n`)
    .join('');
  const file = join(projectRoot, 'fixtures', 'terminal', `${columns}.txt`);
  if (process.env.UPDATE_GOLDEN === '1') {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  assert.equal(text, readFileSync(file, 'utf8'));
}
