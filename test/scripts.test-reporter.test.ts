import assert from 'node:assert/strict';
import * as path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { projectRoot } from './helpers/project-root.ts';

interface ReportedEvent {
  readonly type: string;
  readonly data: object;
}

const FILE = path.join(projectRoot, 'dist/test/some.test.js');

async function report(events: readonly ReportedEvent[]): Promise<readonly string[]> {
  const { default: reporter } = await import(pathToFileURL(path.join(projectRoot, 'scripts/test-reporter.mjs')).href);
  const exitCode = process.exitCode;
  const parts: string[] = [];
  for await (const part of reporter(events)) parts.push(part);
  // It says by the exit code of its own process that nothing ran; this process is another.
  process.exitCode = exitCode;
  return parts.join('').trimEnd().split('\n');
}

function end(name: string, result: 'pass' | 'fail', more: object = {}, details: object = {}): ReportedEvent {
  return { type: `test:${result}`, data: { name, file: FILE, line: 7, details: { duration_ms: 1, ...details }, ...more } };
}

function failure(message: string, failureType = 'testCodeFailure'): object {
  return { error: Object.assign(new Error('failed'), { failureType, cause: new Error(message) }) };
}

test('the last line of a test run counts passed, failed and skipped tests, and groups only if they fail themselves', async () => {
  for (const [events, last] of [
    [[], '0 passed, 0 failed, 0 skipped'],
    [[end('a', 'pass'), end('group', 'pass', {}, { type: 'suite' })], '1 passed, 0 failed, 0 skipped'],
    [
      [end('a', 'fail', {}, failure('no')), end('group', 'fail', {}, { type: 'suite', ...failure('1 failed', 'subtestsFailed') })],
      '0 passed, 1 failed, 0 skipped',
    ],
    [[end('group', 'fail', {}, { type: 'suite', ...failure('its hook', 'hookFailed') })], '0 passed, 1 failed, 0 skipped'],
    [[end('a', 'pass', { skip: true }), end('b', 'fail', { todo: 'later' }, failure('no'))], '0 passed, 0 failed, 2 skipped'],
    [[end('a', 'pass'), end('b', 'pass', { skip: 'test name does not match pattern' })], '1 passed, 0 failed, 0 skipped'],
  ] as const)
    assert.equal((await report(events)).at(-1), last);
});

test('a test run shows each failure with its file and cause, the output of a failed process, and skipped tests by reason', async () => {
  const lines = await report([
    { type: 'test:stderr', data: { file: FILE, message: 'cannot load\n' } },
    end(FILE, 'fail', {}, failure('exit 1')),
    end('a sum is right', 'fail', {}, failure('1 is not 2')),
    end('one', 'pass', { skip: 'no Redis' }),
    end('two', 'pass', { skip: 'no Redis' }),
  ]);
  const text = lines.join('\n');
  assert.match(text, /cannot load/);
  assert.match(text, /FAILED a sum is right\n +in dist\/test\/some\.test\.js:7\n +Error: 1 is not 2/);
  assert.ok(lines.includes('skipped 2: no Redis (one, …)'), text);
});
