import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { makeProgram } from '../src/cli/program.ts';
import { createWorld } from './helpers/command-line.ts';
import { PROGRAM, UNBUNDLED_PROGRAM } from './helpers/program.ts';
import { projectRoot } from './helpers/project-root.ts';
import { wideTest } from './helpers/wide.ts';

/** Prints the address of every module that is loaded from a package. */
const HOOKS = `
import { writeSync } from 'node:fs';
export async function load(url, context, next) {
  const name = /\\/node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1];
  if (name !== undefined) writeSync(2, 'package ' + name + '\\n');
  return next(url, context);
}`;
const REGISTER = `import { register } from 'node:module'; register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(HOOKS)}));`;

function listPackages(args: readonly string[]): ReadonlySet<string> {
  const hook = `data:text/javascript,${encodeURIComponent(REGISTER)}`;
  const { stderr } = spawnSync(process.execPath, ['--import', hook, UNBUNDLED_PROGRAM, ...args], { encoding: 'utf8' });
  return new Set([...stderr.matchAll(/^package (.*)$/gm)].map((match) => match[1] as string));
}

describe('starting the program', () => {
  it('loads commander alone for --help', () => {
    assert.deepEqual([...listPackages(['--help'])], ['commander']);
  });

  wideTest('loads only what a command needs', () => {
    const packages = listPackages(['init', 'not a name']);
    assert.deepEqual([...packages], ['commander']);
  });

  it('writes help to a file and to a pipe, and ends quietly when nobody reads it', (t) => {
    const world = createWorld({});
    t.after(() => world.dispose());
    const start = (output: number | 'pipe') => spawnSync(process.execPath, [PROGRAM, '--help'], { stdio: ['ignore', output, 'pipe'] });
    const file = openSync(join(world.folder, 'help.txt'), 'w');
    assert.equal(start(file).status, 0);
    const help = readFileSync(join(world.folder, 'help.txt'), 'utf8');
    assert.match(help, /^Usage: rowmill .*^To begin:.*^ {2}completion /ms);
    assert.equal(start('pipe').stdout.toString(), help);
    const piped = 'set -o pipefail; "$0" "$1" --help | true; echo $?';
    const unread = spawnSync('bash', ['-c', piped, process.execPath, PROGRAM], { encoding: 'utf8' });
    assert.deepEqual([unread.stdout, unread.stderr], ['0\n', '']);
  });

  it('has the version of the package', () => {
    const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { version: string };
    assert.equal(makeProgram().version(), version);
  });

  it('sets only flags that this V8 knows: of another one Node would tell whoever runs a long command', () => {
    const engine = new URL('../src/cli/engine.js', import.meta.url).href;
    const script = `import('${engine}').then(async ({ expectCalls, collectEarly }) => { await expectCalls(); await collectEarly(); })`;
    const { status, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, '']);
  });

  it('says in one sentence that its output cannot be written', { skip: !existsSync('/dev/full') }, () => {
    const full = openSync('/dev/full', 'w');
    const { status, stderr } = spawnSync(process.execPath, [PROGRAM, '--help'], { stdio: ['ignore', full, 'pipe'], encoding: 'utf8' });
    closeSync(full);
    assert.deepEqual([status, stderr.split('\n').length], [1, 2], stderr);
    assert.match(stderr, /^standard output cannot be written \(ENOSPC: .*\); only what would have been shown is lost$/m);
  });

  it('ends quietly when its reader has gone', async () => {
    const world = createWorld({});
    try {
      const child = world.start(['schema']);
      child.stdout?.destroy();
      const exitCode = await new Promise((resolve) => child.once('close', resolve));
      assert.equal(exitCode, 0);
    } finally {
      world.dispose();
    }
  });
});
