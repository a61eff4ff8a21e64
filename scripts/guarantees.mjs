// `npm run guarantees`: lets `rowmill prove` attack every promise, and writes GUARANTEES.md with what came of it. `-- --hour` goes on for an hour;
// `-- --every` does each of four attacks at every step of a run, part by part: what this commit has done already is not done again. Each writes its part
// of the page. With `--seconds N`, or of `--every` one `--part live/EIO` at one `--step 37`, it is tried, and nothing is written. `-- --check`, as
// CI does, only attacks, for a minute, and holds the page against the promises there are; `-- --page` attacks nothing, and writes it anew. The figures are kept in docs/proofs.json. Attacks over
// Redis take the one at `REDIS_URL`, or start their own.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { attackEveryStep, EVERY_PART } from '../dist/src/prove/every.js';
import { PROMISES } from '../dist/src/prove/prove.js';
import { borrowRedis, whyNoRedis } from '../dist/test/helpers/redis-server.js';

const PROGRAM = `${process.cwd()}/dist/bundle/main.cjs`;
const PAGE = 'GUARANTEES.md';
const FIGURES = 'docs/proofs.json';
const MINUTE = '60';
const HOUR = '3600';

const { values } = parseArgs({
  options: {
    check: { type: 'boolean' },
    every: { type: 'boolean' },
    hour: { type: 'boolean' },
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string' },
    page: { type: 'boolean' },
    part: { type: 'string' },
    step: { type: 'string' },
  },
});
const stopping = new AbortController();
// Ctrl-C reaches what attacks, too: it ends by itself, and then the Redis does.
process.once('SIGINT', () => stopping.abort());
const isTried = values.seconds !== undefined || values.step !== undefined;

const NOT_PROMISED = [
  'Exactly one call per row. No API of this kind can be asked what became of a live call whose answer was lost: the row is sent again (unless `on_unknown: hold`), and the possible cost of the first call is counted, named and priced.',
  'Detecting that something between here and the provider repeated a call: only the provider’s bill shows the second one.',
  'Anything on a disk that loses bytes after it has confirmed them, or on a share that shows two machines different files under one name.',
  'An answer that the provider deletes before it is collected.',
  'Protection from another program that uses the same key, or deliberately changes files of the state directory.',
];

/** @returns the object of `rowmill prove --json`, also where a promise was broken */
async function prove(seconds) {
  const missing = whyNoRedis();
  if (missing !== false) console.error(`not over Redis: ${missing}`);
  const redis = missing === false ? await borrowRedis() : null;
  try {
    const args = [
      PROGRAM,
      'prove',
      '--json',
      '--seconds',
      seconds,
      '--seed',
      values.seed,
      ...(redis === null ? [] : ['--redis', redis.url]),
    ];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [stdout, [status]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    const found = JSON.parse(stdout);
    if (status === 0) return found;
    for (const { name, attacks, fired, broken, repeat } of found.promises ?? [])
      if (repeat !== null) console.error(`${name}: ${broken} of ${attacks} broken, ${fired} fired; repeat: ${repeat}`);
    console.error(found.message ?? `not proved: exit ${status}`);
    process.exitCode = 1;
    return null;
  } finally {
    await redis?.stop();
  }
}

/** Does what is left of it, and keeps each part as soon as it is done. @returns whether every promise held */
async function proveEvery() {
  const by = provenance();
  const isDone = ({ lane, attack }) =>
    figures.every?.some((done) => done.lane === lane && done.attack === attack && done.by.commit === by.commit && done.broken.length === 0);
  const nameOf = ({ lane, attack }) => `${lane}/${attack}`;
  const parts = EVERY_PART.filter((part) => (values.part === undefined ? isTried || !isDone(part) : nameOf(part) === values.part));
  if (parts.length === 0) console.error(`nothing to do; the parts are ${EVERY_PART.map(nameOf).join(', ')}`);
  if (values.seconds !== undefined) setTimeout(() => stopping.abort(), 1_000 * Number(values.seconds)).unref();
  let isHeld = true;
  await attackEveryStep({
    program: PROGRAM,
    parts,
    step: values.step === undefined ? null : Number(values.step),
    signal: stopping.signal,
    tell: (message) => console.error(message),
    keep(done) {
      isHeld &&= done.broken.length === 0;
      console.error(`${nameOf(done)}: ${done.fired} steps, ${done.broken.length} broken, ${done.seconds} s`);
      const others = (figures.every ?? []).filter((other) => nameOf(other) !== nameOf(done));
      figures.every = [...others, { ...done, broken: done.broken.map(({ step, why }) => ({ step, why })), by }];
      if (!isTried) writePage();
    },
  });
  return isHeld;
}

function provenance() {
  const commit = execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], { encoding: 'utf8' }).trim();
  return { commit, node: process.version, day: new Date().toISOString().slice(0, 10) };
}

const describe = ({ commit, node, day }) => `commit ${commit}, Node ${node}, ${day}`;
const count = (number) => number.toLocaleString('en-US');

function renderRun({ proof, by }) {
  const rows = proof.promises.map(({ name, attacks, fired, broken }) => `| ${name} | ${count(attacks)} | ${count(fired)} | ${broken} |`);
  return `${count(proof.fired)} attacks in ${count(Math.round(proof.seconds))} s from seed ${proof.seed} (${describe(by)}):\n\n| promise | attacks | fired | broken |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}

function renderEvery(parts) {
  const rows = EVERY_PART.flatMap(({ lane, attack }) => parts.filter((part) => part.lane === lane && part.attack === attack)).map(
    ({ lane, attack, fired, broken }) => `| ${lane} | ${attack} | ${fired} | ${broken.length} |`,
  );
  const all = parts.reduce((sum, { fired }) => sum + fired, 0);
  const bys = [...new Set(parts.map(({ by }) => describe(by)))];
  const countBroken = (kind) => parts.flatMap(({ broken }) => broken).filter(({ why }) => kind.test(why)).length;
  return `${EVERY_SAYS}\n\n${count(all)} attacks: ${countBroken(/^(rows|table|answer):/)} with a row lost or another answer, ${countBroken(/^(bill|intent|books):/)} with an unreported payment (${bys.join('; ')}):\n\n| lane | attack | steps | broken |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}

const EVERY_SAYS =
  'A run of twelve rows is hit at each of its steps in turn. `kill`: it ends before, during or after the step. `torn tail`: it ends there, and the disk loses bytes and names that were not synced. `ENOSPC` and `EIO`: of the operations that can fail so, this one does, and every second time all after it. Then the same command is repeated to the end and everything is checked.';

const NOT_YET = 'Not run yet for this page.\n';

function renderPage(figures) {
  const promises = PROMISES.map(({ name, says, attackedBy }) => `| \`${name}\` | ${says} | ${attackedBy} |`);
  return `# Guarantees

Written by \`npm run guarantees\`, which attacks the program like \`npx rowmill prove\` on any machine ([how](docs/prove.md)).

## What is not promised

${NOT_PROMISED.map((sentence) => `- ${sentence}`).join('\n')}

## What is promised, and how it is attacked

| name | promise | attacked by |
|---|---|---|
${promises.join('\n')}

After each attack the same command is repeated until nothing is left to do. Then a checker that shares no code with the program compares the table, the books and the simulated provider's own bill with a run that nothing happened to. An attack has fired when its interruption or fault really happened; one that has not is a failure of the proof. Broken is whatever the checker finds.

## In a minute

${figures.minute === undefined ? NOT_YET : renderRun(figures.minute)}
## At every step

${figures.every === undefined ? NOT_YET : renderEvery(figures.every)}
## In an hour

${figures.hour === undefined ? NOT_YET : renderRun(figures.hour)}`;
}

function writePage() {
  writeFileSync(FIGURES, `${JSON.stringify(figures, null, 2)}\n`);
  writeFileSync(PAGE, renderPage(figures));
}

const figures = existsSync(FIGURES) ? JSON.parse(readFileSync(FIGURES, 'utf8')) : {};
if (values.check && readFileSync(PAGE, 'utf8') !== renderPage(figures)) {
  console.error(`${PAGE} is out of date: npm run guarantees`);
  process.exit(1);
}
if (values.page) writePage();
else if (values.every) {
  if (!(await proveEvery())) process.exitCode = 1;
} else {
  const proof = await prove(values.seconds ?? (values.hour ? HOUR : MINUTE));
  if (proof !== null) console.log(`every promise held: ${count(proof.fired)} attacks in ${Math.round(proof.seconds)} s`);
  if (proof !== null && !values.check && !isTried) {
    figures[values.hour ? 'hour' : 'minute'] = { proof, by: provenance() };
    writePage();
  }
}
