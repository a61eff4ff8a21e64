// `npm run guarantees`: lets `rowmill prove` attack every promise, and writes GUARANTEES.md with what came of it. `-- --every` does each of four
// attacks at every step of a run, `-- --hour` goes on for an hour; each writes its part of the page. `-- --check`, as CI does, only attacks, for a
// minute, and holds the page against the promises there are. The figures are kept in docs/proofs.json.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { attackEveryStep } from '../dist/src/prove/every.js';
import { PROMISES } from '../dist/src/prove/prove.js';

const PROGRAM = `${process.cwd()}/dist/bundle/main.cjs`;
const PAGE = 'GUARANTEES.md';
const FIGURES = 'docs/proofs.json';
const HOUR = '3600';

const { values } = parseArgs({
  options: { check: { type: 'boolean' }, every: { type: 'boolean' }, hour: { type: 'boolean' }, seed: { type: 'string', default: '1' } },
});

const NOT_PROMISED = [
  'Exactly one call for each row. No API of this kind offers a way to ask what became of a live call whose answer was lost: it is asked again (`on_unknown: hold` does not), and what the first one may have cost is counted, named and priced.',
  'That a call which somebody between here and the provider repeated is seen: its second bill is the provider’s word alone.',
  'Anything where the disk says that bytes are kept and loses them, or where two machines see different files under one name.',
  'An answer after the provider has deleted it.',
  'Protection from another program that uses the same key, or changes files of the state directory on purpose.',
];

/** @returns the object of `rowmill prove --json`, also where a promise was broken */
function prove(seconds) {
  const redis = process.env.REDIS_URL === undefined ? [] : ['--redis', process.env.REDIS_URL];
  const args = [PROGRAM, 'prove', '--json', '--seconds', seconds, '--seed', values.seed, ...redis];
  const { stdout, status } = spawnSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const found = JSON.parse(stdout);
  if (status !== 0) {
    for (const { name, attacks, fired, broken, repeat } of found.promises ?? [])
      if (repeat !== null) console.error(`${name}: ${broken} of ${attacks} broken, ${fired} fired; repeat: ${repeat}`);
    if (found.message !== undefined) console.error(found.message);
    process.exit(1);
  }
  return found;
}

function provenance() {
  const commit = execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], { encoding: 'utf8' }).trim();
  return { commit, node: process.version, day: new Date().toISOString().slice(0, 10) };
}

const describe = ({ commit, node, day }) => `commit ${commit}, Node ${node}, ${day}`;

function renderRun({ proof, by }) {
  const rows = proof.promises.map(({ name, attacks, fired, broken }) => `| ${name} | ${attacks} | ${fired} | ${broken} |`);
  return `${proof.fired} attacks in ${Math.round(proof.seconds)} s from seed ${proof.seed} (${describe(by)}):\n\n| promise | attacks | fired | broken |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}

function renderEvery({ steps, by }) {
  const rows = steps.map(({ lane, attack, fired, broken }) => `| ${lane} | ${attack} | ${fired} | ${broken.length} |`);
  const all = steps.reduce((sum, { fired }) => sum + fired, 0);
  return `${all} attacks, one at each step (${describe(by)}):\n\n| lane | attack | steps | broken |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}

const NOT_YET = 'Not run yet for this page.\n';

function renderPage(figures) {
  const promises = PROMISES.map(({ name, says, attackedBy }) => `| \`${name}\` | ${says} | ${attackedBy} |`);
  return `# Guarantees

Written by \`npm run guarantees\`, which attacks the program as \`npx rowmill prove\` does on any machine ([how](docs/prove.md)).

## What is not promised

${NOT_PROMISED.map((sentence) => `- ${sentence}`).join('\n')}

## What is promised, and how it is attacked

| name | promise | attacked by |
|---|---|---|
${promises.join('\n')}

After each attack the same command is typed until it ends. Then a checker that shares no code with the program holds the table, the books and the provider's own bill against a run that nothing happened to.

## In a minute

${figures.minute === undefined ? NOT_YET : renderRun(figures.minute)}
## At every step

${figures.every === undefined ? NOT_YET : renderEvery(figures.every)}
## In an hour

${figures.hour === undefined ? NOT_YET : renderRun(figures.hour)}`;
}

const figures = existsSync(FIGURES) ? JSON.parse(readFileSync(FIGURES, 'utf8')) : {};
if (values.check) {
  if (readFileSync(PAGE, 'utf8') !== renderPage(figures)) {
    console.error(`${PAGE} does not say what is promised now: npm run guarantees`);
    process.exit(1);
  }
  const { fired, seconds } = prove('60');
  console.log(`every promise held: ${fired} attacks in ${Math.round(seconds)} s`);
} else {
  if (values.every) figures.every = { steps: await attackEveryStep(PROGRAM, console.error), by: provenance() };
  else figures[values.hour ? 'hour' : 'minute'] = { proof: prove(values.hour ? HOUR : '60'), by: provenance() };
  writeFileSync(FIGURES, `${JSON.stringify(figures, null, 2)}\n`);
  writeFileSync(PAGE, renderPage(figures));
  if (figures.every?.steps.some(({ broken }) => broken.length > 0)) process.exitCode = 1;
}
