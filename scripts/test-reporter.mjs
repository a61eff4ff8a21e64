// What `npm test` and `npm run unit` print: a dot per test, then the failures, what was skipped and why, the slowest tests and, on the last line, how many there were.
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, relative } from 'node:path';
import { inspect } from 'node:util';

/** What node reports about a test that `--test-name-pattern` excludes; newer versions report nothing. */
const LEFT_OUT = 'test name does not match pattern';
/** The exit code if no test ran: a run that tested nothing is not a success. */
export const NOTHING_RAN = 4;
/** The names of the test files in which something failed, as JSON. */
export const FAILED_FILES = '.cache/failed-tests.json';
const DOTS_PER_LINE = 120;
const SLOWEST = 5;
const SLOW_MS = 2_000;
/** Lines that are shown of what a process said that failed as a whole. */
const MAX_SAID_LINES = 60;

/** @returns text, as node's test runner takes it from a reporter */
async function* report(events) {
  const startedAtMs = performance.now();
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const [failures, skips, said, seen] = [[], new Map(), new Map(), []];
  let dots = 0;
  for await (const { type, data } of events) {
    if (type === 'test:stdout' || type === 'test:stderr') said.set(data.file, (said.get(data.file) ?? '') + data.message);
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const result = judge(type, data);
    if (result === null) continue;
    counts[result] += 1;
    if (result === 'skipped') skips.set(reasonOf(data), [...(skips.get(reasonOf(data)) ?? []), data.name]);
    else seen.push(data);
    if (result === 'failed' && data.details.error?.failureType !== 'subtestsFailed') failures.push(data);
    dots += 1;
    yield { passed: '.', failed: 'X', skipped: '-' }[result] + (dots % DOTS_PER_LINE === 0 ? '\n' : '');
  }
  yield '\n';
  mkdirSync('.cache', { recursive: true });
  writeFileSync(FAILED_FILES, JSON.stringify([...new Set(failures.map(({ file }) => basename(file ?? '')))]));
  for (const failure of failures) yield renderFailure(failure, said);
  for (const [reason, names] of skips) yield `skipped ${names.length}: ${reason} (${names[0]}${names.length > 1 ? ', …' : ''})\n`;
  for (const { name, details } of seen
    .filter(({ details }) => details.duration_ms >= SLOW_MS)
    .sort((a, b) => b.details.duration_ms - a.details.duration_ms)
    .slice(0, SLOWEST))
    yield `took ${(details.duration_ms / 1000).toFixed(1)} s: ${name}\n`;
  if (counts.passed + counts.failed === 0) process.exitCode = NOTHING_RAN;
  yield `Node ${process.versions.node}, ${((performance.now() - startedAtMs) / 1000).toFixed(1)} s:\n`;
  yield `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`;
}

/** @returns what a test counts as; null when it does not: a group whose tests count, a test that was left out */
function judge(type, { name, file, details, skip, todo }) {
  if (skip === LEFT_OUT) return null;
  // A file that registers no test passes as one of its own name; it tested nothing.
  if (type === 'test:pass' && name === file) return null;
  // A group fails by itself when its body or a hook throws.
  if (details.type === 'suite') return type === 'test:fail' && details.error?.failureType !== 'subtestsFailed' ? 'failed' : null;
  if (skip !== undefined || todo !== undefined) return 'skipped';
  return type === 'test:pass' ? 'passed' : 'failed';
}

function reasonOf({ skip, todo }) {
  const reason = skip ?? todo;
  return typeof reason === 'string' && reason !== '' ? reason : 'no reason given';
}

function renderFailure({ name, file, line, details }, said) {
  const { error } = details;
  const lines = [
    `\nFAILED ${name}`,
    `  in ${file === undefined ? 'no file' : `${relative('', file)}:${line}`}`,
    inspect(error?.cause ?? error),
  ];
  // A process that failed as a whole says why on its own.
  if (name === file) lines.push(...(said.get(file) ?? '').split('\n').slice(-MAX_SAID_LINES));
  return `${lines.join('\n').replaceAll('\n', '\n  ')}\n`;
}

// biome-ignore lint/style/noDefaultExport: node takes a reporter from its module's default export
export default report;
