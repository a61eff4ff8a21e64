import fs from 'node:fs';
import path from 'node:path';
import type { Arena } from '../arena.ts';
import { type AttackContext, type Attacked, type AttackResult, checkEnd, continueAndCheck, inArena, takeTurn } from '../attack.ts';

/** Output paths that would destroy what the run needs. */
const TARGETS = ['in.csv', 'job.yaml', 'link.csv', 'hard.csv'] as const;

/** A table that would overwrite an input of the run is refused before anything is sent. */
async function aimBadly(context: AttackContext): Promise<AttackResult> {
  const target = takeTurn(context, TARGETS);
  return inArena(context, {}, async (arena) => {
    const { folder, input } = arena.places;
    fs.symlinkSync(input, path.join(folder, 'link.csv'));
    fs.linkSync(input, path.join(folder, 'hard.csv'));
    const job = path.join(folder, 'job.yaml');
    const before = [fs.readFileSync(input, 'utf8'), fs.readFileSync(job, 'utf8')];
    const end = await arena.live({ flags: ['--out', path.join(folder, target)] }).ended;
    const after = [fs.readFileSync(input, 'utf8'), fs.readFileSync(job, 'utf8')];
    const broken: string[] = [];
    if (JSON.stringify(before) !== JSON.stringify(after)) broken.push(`destination: ${target} was overwritten`);
    if (end.exitCode !== 2) broken.push(`destination: a table to ${target} ends with ${end.exitCode}: ${end.stderr.trim()}`);
    if (end.report.operations.some((operation) => operation.startsWith('send')))
      broken.push('destination: something was sent before it was refused');
    fs.rmSync(path.join(folder, 'link.csv'));
    fs.rmSync(path.join(folder, 'hard.csv'));
    broken.push(...(await continueAndCheck(context, arena, 0)));
    return { fired: [target], broken };
  });
}

/** Altered bytes of an answer are reported, the answer is not used, and nothing is paid for it. */
async function alterAnswer(context: AttackContext): Promise<AttackResult> {
  return inArena(context, {}, async (arena) => {
    const first = await arena.liveToEnd();
    const broken = [...checkEnd(context, arena, { end: first, secondPayments: 0 })];
    const { file, whole } = spoil(arena);
    const billed = arena.simulator.bill().length;
    fs.rmSync(arena.places.table);
    const held = await arena.live().ended;
    if (held.exitCode !== 3 || !held.stderr.includes(path.basename(file)))
      broken.push(`altered: exit ${held.exitCode}, and the change is not reported`);
    if (fs.readFileSync(arena.places.table, 'utf8').includes(ALTERED)) broken.push('altered: the table has an answer that nobody gave');
    fs.writeFileSync(file, whole);
    fs.rmSync(arena.places.table);
    const end = await arena.liveToEnd();
    if (arena.simulator.bill().length !== billed) broken.push('altered: something was paid for');
    broken.push(...findOtherTable(context, arena, end.exitCode));
    return { fired: ['an answer was altered'], broken };
  });
}

const ALTERED = 'Bast but one';

function spoil({ places }: Arena): { readonly file: string; readonly whole: string } {
  const folder = path.join(places.state, 'responses');
  for (const name of fs.readdirSync(folder)) {
    const file = path.join(folder, name);
    const whole = fs.readFileSync(file, 'utf8');
    if (!whole.includes('Last but one')) continue;
    fs.writeFileSync(file, whole.replace('Last but one', ALTERED));
    return { file, whole };
  }
  throw new Error('no answer to alter');
}

function* findOtherTable({ reference, lane }: AttackContext, { places }: Arena, exitCode: number | null): Generator<string> {
  if (exitCode !== 3) yield `altered: with the bytes restored it ends with ${exitCode}`;
  const text = fs.readFileSync(places.table, 'utf8');
  for (const row of reference.undisturbed[lane].evidence.table.rows) {
    const summary = String(row.summary).replaceAll('"', '""');
    if (!text.includes(summary)) yield `altered: "${summary}" is not in the table with the bytes restored`;
  }
}

/** Spending again needs a yes to its real price; without one nothing happens. */
async function spendUnasked(context: AttackContext): Promise<AttackResult> {
  return inArena(context, { job: ['confirm_over: 0'] }, async (arena) => {
    const first = await arena.liveToEnd();
    const broken = [...checkEnd(context, arena, { end: first, secondPayments: 0 })];
    const billed = arena.simulator.bill().length;
    const end = await arena.live({ flags: ['--fresh'], isAgreed: false }).ended;
    if (end.exitCode !== 2) broken.push(`asked: --fresh without a yes ends with ${end.exitCode}: ${end.stderr.trim()}`);
    if (arena.simulator.bill().length !== billed) broken.push('asked: it was paid for without a yes');
    return { fired: ['a second payment was asked for'], broken };
  });
}

export const ASKED: readonly Attacked[] = [
  {
    name: 'destination',
    says: 'A run never overwrites what it reads, and refuses to before anything is sent',
    attackedBy: 'output paths that are the input, the job, or a link to them',
    minimum: 4,
    attack: aimBadly,
  },
  {
    name: 'altered',
    says: 'An answer whose bytes were altered is reported and not used; with the bytes restored it is used again, at no cost',
    attackedBy: 'bytes of a stored answer changed between two runs',
    minimum: 3,
    attack: alterAnswer,
  },
  {
    name: 'asked',
    says: 'Nothing is spent again without asking',
    attackedBy: '--fresh after a finished run, without --yes',
    minimum: 3,
    attack: spendUnasked,
  },
];
