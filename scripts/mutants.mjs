// `npm run proof:mutants`: breaks one promise of the protocol at a time, in a copy of the compiled program, and lets `rowmill prove` attack that promise
// as often as in its minute, with the same seeds; `-- --whole` lets it attack all of them, for a minute each. A mutant that goes unnoticed shows an
// attack that proves nothing; a place that no longer exists is a failure too. `-- WORD…` tries the mutants whose name contains one of the words. Those that
// only attacks over Redis can find use the one at `REDIS_URL`, or start their own; without any they are skipped and not counted.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { borrowRedis, whyNoRedis } from '../dist/test/helpers/redis-server.js';
import { MUTANTS, plan } from './mutant-list.mjs';

const COPY = '.cache/mutants';
/** What broken promises leave goes with the mutant. */
const LEFT = resolve(COPY, 'left');
const LONGEST_MS = 600_000;

function write(files, which) {
  for (const [file, texts] of files) writeFileSync(join(COPY, file), texts[which]);
}

/** @returns by what it was found; null where every promise held @throws where an attack did not happen, or the program cannot be started */
async function prove(foundBy) {
  const extent = values.whole ? [] : ['--only', foundBy, '--seconds', '1'];
  const args = [join(COPY, 'src/cli/main.js'), 'prove', '--json', ...extent, ...(redis === null ? [] : ['--redis', redis.url])];
  mkdirSync(LEFT, { recursive: true });
  const env = { ...process.env, TMPDIR: LEFT };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: LONGEST_MS });
  // One break is enough; a second signal would end it without its object.
  let isBroken = false;
  child.stderr.on('data', (said) => {
    if (!isBroken && / is broken \(seed /.test(said)) isBroken = child.kill('SIGINT');
  });
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  if (status === 0) return null;
  const found = stdout.startsWith('{') ? JSON.parse(stdout) : null;
  if (found?.broken > 0) return found.promises.flatMap(({ name, broken }) => (broken > 0 ? [name] : [])).join(', ');
  // Nothing can be held against an undisturbed run that is wrong itself.
  if (found?.code === 'broken') return 'the undisturbed run';
  throw new Error(`${found === null ? `exit ${status}` : 'an attack did not happen'}\n${stderr}`);
}

const { values, positionals } = parseArgs({ options: { whole: { type: 'boolean' } }, allowPositionals: true });
rmSync(COPY, { recursive: true, force: true });
// Without the bundle: a place is found in the compiled tree alone.
cpSync('dist', COPY, { recursive: true, filter: (path) => basename(path) !== 'bundle' });
// All of them are looked at before the first is tried.
const plans = new Map(MUTANTS.map((mutant) => [mutant, plan(mutant, COPY)]));
const missing = whyNoRedis();
const redis = missing === false ? await borrowRedis() : null;
const tried = { found: 0, bare: 0, all: 0 };
for (const [mutant, files] of plans) {
  const { name, foundBy, isOverRedis = foundBy === 'redis' } = mutant;
  if (positionals.length > 0 && !positionals.some((word) => name.includes(word))) continue;
  if (isOverRedis && redis === null) {
    console.log(`skipped   ${name}: ${missing}`);
    continue;
  }
  const startedAt = performance.now();
  write(files, 'changed');
  const found = await prove(foundBy).catch((error) => error);
  write(files, 'whole');
  rmSync(LEFT, { recursive: true, force: true });
  const isFound = typeof found === 'string';
  tried.all += 1;
  if (isFound) tried.found += 1;
  if (isFound && !isOverRedis) tried.bare += 1;
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  const ending = isFound ? `by ${found}` : `${foundBy} did not notice${found === null ? '' : `: ${found.message}`}`;
  console.log(`${isFound ? 'found   ' : 'SURVIVED'}  ${name}: ${ending}, ${seconds} s`);
}
await redis?.stop();
console.log(`${tried.found} of ${tried.all} mutants found, ${tried.bare} of them without a Redis, as by a minute of "rowmill prove" alone`);
process.exitCode = tried.found === tried.all ? 0 : 1;
