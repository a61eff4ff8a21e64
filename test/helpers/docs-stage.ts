import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { startSimulator } from '../../src/simulator/start.ts';
import { CANARY_KEY, collect, createWorld, type Ended } from './command-line.ts';
import { type PageCommand, readCommands, readInlineCommands } from './docs-pages.ts';
import { PROGRAM } from './program.ts';
import { projectRoot } from './project-root.ts';
import { runInProcess } from './run-in-process.ts';

/** What a page assumes, and how it differs from what a test can provide. */
export interface PageSetting {
  /** Files that the page expects the reader to have, by their paths. */
  readonly files?: Readonly<Record<string, string>>;
  /** What has to happen before a command, by the beginning of that command. */
  readonly before?: Readonly<Record<string, (stage: DocsStage) => unknown>>;
  /** Addresses and ids of the page and what stands for them here. */
  readonly instead?: Readonly<Record<string, string>>;
  /** Exit codes other than 0 that the page mentions, by the beginning of the command. */
  readonly exits?: Readonly<Record<string, number>>;
}

/** A folder with the example jobs and their tables, and a provider, which is a simulator. */
export interface DocsStage {
  readonly folder: string;
  readonly instead: Map<string, string>;
  write(path: string, text: string): void;
  /** Runs what a person types, with a key and the address of the provider in the environment. */
  type(command: string): Promise<Ended>;
}

export async function createDocsStage(t: TestContext): Promise<DocsStage> {
  const world = createWorld({});
  const { folder } = world;
  const simulator = await startSimulator({ batchSeconds: 0.05 });
  t.after(async () => {
    await simulator.close();
    world.dispose();
  });
  cpSync(join(projectRoot, 'jobs'), join(folder, 'jobs'), { recursive: true });
  cpSync(join(projectRoot, 'fixtures'), join(folder, 'fixtures'), {
    recursive: true,
    filter: (path) => !/fixtures\/(bodies|drafts|states|terminal|world)/.test(path),
  });
  const env: Record<string, string> = {
    ...{ PATH: process.env.PATH ?? '', HOME: folder, EDITOR: 'cp edited.yaml' },
    ...{ ROWMILL_POLL_MAX: '50ms', ROWMILL_BASE_URL: simulator.url, OPENAI_API_KEY: CANARY_KEY },
  };
  return {
    folder,
    instead: new Map(),
    write(path, text) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    },
    type(command) {
      const words = /^(?:npx )?rowmill (.*)$/s.exec(command)?.[1];
      if (words !== undefined && !/[|<>&;$]/.test(command.replaceAll(/'[^']*'|"[^"]*"| # .*/g, ''))) {
        return runInProcess(splitWords(words), { cwd: folder, env });
      }
      const own = `rowmill() { "${process.execPath}" "${PROGRAM}" "$@"; }\nnpx() { "$@"; }\nset -o pipefail\n`;
      return collect(spawn('bash', ['-c', own + command], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] }));
    },
  };
}

/** As a shell splits them, comments left out. */
function splitWords(words: string): readonly string[] {
  return execFileSync('bash', ['-c', `f() { printf '%s\\0' "$@"; }\nf ${words}`], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1);
}

/** Types the commands of a page one after the other, and looks for what it shows. `elsewhere` says which cannot be typed here. */
export async function typePage(t: TestContext, page: string, setting: PageSetting, elsewhere: (command: string) => boolean) {
  const stage = await createDocsStage(t);
  for (const [path, text] of Object.entries(setting.files ?? {})) stage.write(path, text);
  for (const [shown, here] of Object.entries(setting.instead ?? {})) stage.instead.set(shown, here);
  let typed = 0;
  for (const command of [...readCommands(page), ...readInlineCommands(page)]) {
    if (elsewhere(command.command) || /^export .*…/.test(command.command)) continue;
    await typeCommand(stage, page, command, setting);
    typed += 1;
  }
  return typed;
}

async function typeCommand(
  stage: DocsStage,
  page: string,
  { command, shown, line }: PageCommand,
  { before = {}, exits = {} }: PageSetting,
) {
  for (const [beginning, prepare] of Object.entries(before)) if (command.startsWith(beginning)) await prepare(stage);
  let typed = command;
  for (const [text, here] of stage.instead) typed = typed.replaceAll(text, here.replaceAll('$FOLDER', stage.folder));
  const { exitCode, stdout, stderr } = await stage.type(typed);
  const expected = Object.entries(exits).find(([beginning]) => command.startsWith(beginning))?.[1] ?? 0;
  const said = `${page}:${line}: ${typed}\n${stdout}\n${stderr}`;
  assert.equal(exitCode, expected, said);
  const printed = `${stdout}\n${stderr}`.split('\n').map(levelLine);
  for (const text of shown) {
    const [first = '', ...others] = levelLine(text).split('…');
    const expression = new RegExp(`^${[first, ...others].map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`);
    assert.ok(
      printed.some((one) => expression.test(one)),
      `${said}\n\nshows no line ${text}`,
    );
  }
}

/** Ids, times and the port of the provider are other ones each time; blanks at the end say nothing. */
function levelLine(line: string): string {
  return line
    .replaceAll(/\d{8}-\d{4}-[0-9a-z]{10}/g, 'RUN')
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d UTC/g, 'TIME')
    .replaceAll(/\d{4}-\d\d-\d\d( \d\d:\d\d)?/g, 'TIME')
    .replaceAll(/@127\.0\.0\.1-\d+|, simulated$/g, '')
    .trimEnd();
}
