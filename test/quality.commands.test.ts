import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse } from 'csv-parse/sync';
import type { Evaluation, RunComparison } from '../src/core/quality.ts';
import type { Sample } from '../src/inspect/quality/sample.ts';
import { type Simulator, startSimulator } from '../src/simulator/start.ts';
import { CANARY_KEY, createWorld, type World } from './helpers/command-line.ts';
import { wideTest } from './helpers/wide.ts';

type Row = Readonly<Record<string, string>>;

const LABELS = ['billing', 'bug', 'other'];
/** The label of a ticket: the third letter of its text is drawn evenly, so that the simulator is right by chance only. */
const TICKETS = Array.from({ length: 60 }, (_, index) => ({
  id: `t${index + 1}`,
  text: index === 40 ? '' : `Ticket ${index + 1}: something about ${LABELS[(index * 7) % 3]} number ${index * index}`,
  gold: index % 10 === 9 ? '' : (LABELS[(index * 5 + (index % 4)) % 3] as string),
}));
const toCsv = (rows: readonly { id: string; text: string; gold: string }[]) =>
  `id,text,team\n${rows.map(({ id, text, gold }) => `${id},${text},${gold}`).join('\n')}\n`;
const job = (question: string, more = '') => `name: tickets
input: { path: tickets.csv, id: id }
model: gpt-4o-mini
mode: batch
prompt: "${question} {{ text }}"
output: { label: billing | bug | other, urgent: boolean }
params: { max_output_tokens: 50 }
retry: { attempts: 1 }
write: { path: out.csv }
${more}`;

const readTable = (world: World, name: string): readonly Row[] =>
  parse(readFileSync(join(world.folder, name), 'utf8'), { columns: true, bom: true }) as Row[];

describe('quality of answers', () => {
  let world: World;
  let simulator: Simulator;
  const tables: (readonly Row[])[] = [];
  const runs: string[] = [];
  const costs: number[] = [];

  async function run(...more: readonly string[]): Promise<void> {
    const env = { OPENAI_API_KEY: CANARY_KEY };
    const summary = await world.json<{ run: string; exitCode: number; cost: { nanoUsd: number } }>(
      ['run', 'job.yaml', '--base-url', simulator.url, '--yes', ...more],
      env,
    );
    assert.equal(summary.exitCode, 3);
    runs.push(summary.run);
    costs.push(summary.cost.nanoUsd);
    tables.push(readTable(world, 'out.csv'));
  }

  before(async () => {
    world = createWorld({ 'tickets.csv': toCsv(TICKETS), 'job.yaml': job('Which team?') });
    simulator = await startSimulator({
      faults: [
        { name: 'refusals', match: { batch: 1, row: 3 }, do: { answer: 'refusal' } },
        { name: 'prose', match: { batch: 1, row: 6 }, do: { answerText: 'I would say billing' } },
        { name: 'later', match: { batch: 2, row: 8 }, do: { answer: 'refusal' } },
      ],
    });
    await run();
    writeFileSync(join(world.folder, 'job.yaml'), job('Who should take this ticket?'));
    await run();
    // The failed row of the second run is answered now: that is the third run's, and changes nothing about the second.
    await run('--retry-failed');
    assert.ok(simulator.faultsFired().every(({ fired }) => fired > 0));
  });
  after(async () => {
    await simulator.close();
    world.dispose();
  });

  it('eval gives the figures of an independent count; failed rows are wrong, skipped rows do not count', async () => {
    const found = await world.json<Evaluation>(['eval', 'job.yaml', '--gold', 'team', '--field', 'label', '--run', runs[1] as string]);
    assert.equal(found.schema, 'rowmill.eval/1');
    const rows = (tables[1] as readonly Row[]).filter(({ team, _status }) => team !== '' && _status !== 'skipped');
    const right = rows.filter((row) => row._status === 'ok' && row.label === row.team);
    const ok = rows.filter((row) => row._status === 'ok');
    assert.deepEqual(found.rows, {
      in: 60,
      withoutGold: 6,
      pending: 0,
      skipped: 1,
      evaluated: 53,
      answered: ok.length,
      correct: right.length,
    });
    assert.ok(ok.length < rows.length && right.length > 0);
    assert.equal(found.accuracy, right.length / rows.length);
    assert.equal(found.coverage, ok.length / rows.length);
    const f1 = LABELS.map((label) => {
      const hits = right.filter((row) => row.label === label).length;
      const given = ok.filter((row) => row.label === label).length;
      const support = rows.filter((row) => row.team === label).length;
      const scores = found.perClass[label];
      assert.deepEqual([scores?.precision, scores?.recall, scores?.support], [hits / given, hits / support, support]);
      for (const other of LABELS)
        assert.equal(found.confusion[label]?.[other] ?? 0, ok.filter((row) => row.team === label && row.label === other).length);
      return (2 * hits) / (given + support);
    });
    assert.ok(Math.abs(found.macroF1 - f1.reduce((sum, value) => sum + value, 0) / 3) < 1e-12);
    assert.deepEqual(found.gold, { type: 'column', name: 'team', column: null, unmatched: 0, unknownLabels: {} });
    const wrong = rows.filter((row) => !right.includes(row));
    assert.deepEqual(
      found.wrong.map(({ id, gold, text }) => [id, gold, text]),
      wrong.slice(0, 20).map(({ id, team, text }) => [id, team, text]),
    );
  });

  it('eval shows coverage, intervals and confusion, says whose answers they are, and uses the one field with labels', async () => {
    const { stdout, stderr, exitCode } = await world.run(['eval', 'job.yaml', '--gold', 'team']);
    assert.equal(exitCode, 0);
    assert.match(stdout, /^tickets: label against column team {2}simulated$/m);
    assert.match(stdout, /^rows +53 of 60 compared; 6 have no right answer to compare with, 1 skipped, never sent$/m);
    assert.match(stdout, /^coverage +100\.0 % \[\d+\.\d, 100\.0\] have an answer; the others count as wrong$/m);
    assert.match(stdout, /Wilson for proportions, bootstrap \(1,000 draws, seed 1\) for F1/);
    assert.match(stdout, /^right \\ given +billing +bug +other$/m);
    assert.match(stderr, /^State of the last run: \.rowmill\/tickets@127\.0\.0\.1-\d+/m);
  });

  it('eval compares other closed fields by name, whatever the spelling of true', async () => {
    const rows = tables.at(-1) as readonly Row[];
    const gold = rows.map(
      ({ id, urgent = '' }, index) => `${id},${index % 3 === 0 ? urgent.toUpperCase() : index % 3 === 1 ? 'TRUE' : 'False'}`,
    );
    writeFileSync(join(world.folder, 'urgent.csv'), `id,urgent\n${gold.join('\n')}\n`);
    const found = await world.json<Evaluation>(['eval', 'job.yaml', '--gold', 'urgent.csv', '--field', 'urgent']);
    const expected = rows.filter((row, index) => row._status === 'ok' && row.urgent === ([row.urgent, 'true', 'false'][index % 3] ?? ''));
    assert.equal(found.rows.correct, expected.length);
    assert.deepEqual(Object.keys(found.perClass), ['false', 'true']);
  });

  it('sample writes a sheet, eval reads its labels, and sampling again changes none of them', async () => {
    const drawn = await world.json<Sample & { next: string }>(['sample', 'job.yaml', '-n', '12', '--seed', '5', '--by', 'label']);
    assert.equal(drawn.path, 'out.sample.csv');
    assert.deepEqual([drawn.rows.sampled, drawn.rows.added, drawn.labels], [12, 12, LABELS]);
    assert.equal(
      drawn.strata.reduce((sum, { sampled }) => sum + sampled, 0),
      12,
    );
    assert.ok(drawn.strata.every(({ sampled }) => sampled >= 1));
    const text = readFileSync(join(world.folder, 'out.sample.csv'), 'utf8');
    assert.ok(text.startsWith('\uFEFF_ref,_row,_gold,_note,id,text,team,_answer\r\n'));

    // A person marks eight rows in a spreadsheet that saves with semicolons.
    const sheet = readTable(world, 'out.sample.csv');
    const marks = sheet.map((row, index) => ({ ...row, _gold: index < 8 ? (index < 6 ? (row._answer ?? '') : 'bug') : '' }));
    const columns = Object.keys(sheet[0] ?? {});
    const marked = [columns.join(';'), ...marks.map((row: Row) => columns.map((name) => row[name]).join(';'))].join('\n');
    writeFileSync(join(world.folder, 'out.sample.csv'), `${marked}\n`);
    const found = await world.json<Evaluation>(['eval', 'job.yaml', '--gold', 'out.sample.csv', '--field', 'label']);
    const right = marks.filter((row: Row) => row._gold !== '' && row._gold === row._answer).length;
    assert.deepEqual(
      [found.rows.evaluated, found.rows.correct, found.gold.column],
      [marks.filter(({ _gold }) => _gold !== '').length, right, '_gold'],
    );

    const before = readFileSync(join(world.folder, 'out.sample.csv'), 'utf8');
    const again = await world.json<Sample>(['sample', 'job.yaml', '-n', '12', '--seed', '5', '--by', 'label']);
    assert.deepEqual([again.rows.added, again.rows.inSheet, again.rows.marked], [0, 12, found.rows.evaluated]);
    assert.equal(readFileSync(join(world.folder, 'out.sample.csv'), 'utf8'), before);
    const more = await world.json<Sample>(['sample', 'job.yaml', '-n', '30', '--seed', '5', '--by', 'label']);
    const after = readTable(world, 'out.sample.csv');
    assert.deepEqual(after.slice(0, 12), marks);
    assert.equal(after.length, 12 + more.rows.added);
    assert.ok(after.slice(12).every((row) => row._gold === ''));
  });

  it('eval after a pilot judges the rows of the pilot, whether the run is named or not, and diff the rows that both runs asked', async () => {
    const texts = ['one', 'two', '', 'three', '', 'four', '', ''];
    const other = createWorld({
      'tickets.csv': `id,text,team\n${texts.map((text, index) => `t${index},${text},bug`).join('\n')}\n`,
      'job.yaml': job('Which?'),
    });
    try {
      for (const more of [
        ['--limit', '2'],
        ['--limit', '3', '--fresh'],
      ])
        assert.match((await other.run(['run', 'job.yaml', '--simulate', ...more])).stdout, /answered|^done/m);
      const evaluate = (...more: readonly string[]) =>
        other.json<Evaluation>(['eval', 'job.yaml', '--gold', 'team', '--field', 'label', ...more]);
      const [now, named] = [await evaluate(), await evaluate('--run', 'last')];
      assert.deepEqual([now.rows.evaluated, now.rows.pending, now.rows.skipped], [2, 2, 4]);
      assert.deepEqual([named.rows.evaluated, named.rows.pending, named.rows.skipped], [2, 0, 1]);
      assert.deepEqual([now.accuracy, now.coverage, now.wrong], [named.accuracy, 1, named.wrong]);
      const all = await other.run(['run', 'job.yaml', '--simulate']);
      assert.equal(all.exitCode, 3, all.stderr);
      const found = await other.json<RunComparison>(['diff', 'job.yaml', 'prev', 'last', '--gold', 'team', '--field', 'label']);
      assert.deepEqual([found.rows.compared, found.rows.unanswered, found.a.scores?.rows.evaluated], [3, 1, 2]);
    } finally {
      other.dispose();
    }
  });

  it('sample disarms text that a spreadsheet would run as a formula', async () => {
    const files = { 'in.csv': 'id,text\n=1+1,"=HYPERLINK(""x"")"\n@b,plain\n', 'job.yaml': job('Which?').replace('tickets.csv', 'in.csv') };
    const other = createWorld(files);
    try {
      assert.equal((await other.run(['run', 'job.yaml', '--simulate', '--yes'])).exitCode, 0);
      assert.match(
        (await other.run(['eval', 'job.yaml', '--simulate'])).stderr.replace(/\s+/g, ' '),
        /add --gold COLUMN or --gold FILE; columns: id, text\. If nobody knows them yet, rowmill sample job\.yaml --simulate -n 50 draws rows/,
      );
      await other.run(['sample', 'job.yaml', '--field', 'label']);
      const rows = readTable(other, 'out.sample.csv');
      assert.deepEqual(
        rows.map(({ id, text }) => [id, text]),
        [
          ["'=1+1", `'=HYPERLINK("x")`],
          ["'@b", 'plain'],
        ],
      );
      // The marks find their rows all the same.
      writeFileSync(
        join(other.folder, 'out.sample.csv'),
        `_ref,_gold\n${rows.map(({ _ref, _answer }) => `${_ref},${_answer}`).join('\n')}\n`,
      );
      const found = await other.json<Evaluation>(['eval', 'job.yaml', '--gold', 'out.sample.csv', '--field', 'label']);
      assert.deepEqual([found.rows.evaluated, found.rows.correct], [2, 2]);
    } finally {
      other.dispose();
    }
  });

  it('diff compares two runs as they ended, row by row, in quality and in cost', async () => {
    const [first, second] = tables as [readonly Row[], readonly Row[]];
    const args = ['diff', 'job.yaml', runs[0] as string, runs[1] as string, '--gold', 'team', '--field', 'label', '--csv', 'changes.csv'];
    const found = await world.json<RunComparison>(args);
    assert.equal(found.schema, 'rowmill.diff/1');
    const pairs = first.map((a, index) => ({ a, b: second[index] as Row }));
    const isOk = (row: Row) => row._status === 'ok';
    const count = (test: (pair: { a: Row; b: Row }) => boolean) => pairs.filter(test).length;
    assert.deepEqual(found.rows, {
      compared: 60,
      same: count(({ a, b }) => isOk(a) && isOk(b) && a.label === b.label),
      changed: count(({ a, b }) => isOk(a) && isOk(b) && a.label !== b.label),
      answeredOnlyInA: count(({ a, b }) => isOk(a) && !isOk(b)),
      answeredOnlyInB: count(({ a, b }) => !isOk(a) && isOk(b)),
      unanswered: 1,
      ...{ onlyInA: 0, onlyInB: 0, notInTable: 0 },
    });
    assert.deepEqual([found.rows.answeredOnlyInA, found.rows.answeredOnlyInB], [1, 2]);
    const isRight = (row: Row) => isOk(row) && row.label === row.team;
    const onlyA = count(({ a, b }) => a.team !== '' && isRight(a) && !isRight(b));
    const onlyB = count(({ a, b }) => a.team !== '' && !isRight(a) && isRight(b));
    assert.deepEqual([found.mcnemar.basis, found.mcnemar.onlyA, found.mcnemar.onlyB], ['correct', onlyA, onlyB]);
    assert.equal(found.a.scores?.accuracy, count(({ a }) => isRight(a)) / 53);
    assert.equal(found.b.scores?.accuracy, count(({ b }) => isRight(b)) / 53);
    assert.ok(Math.abs((found.accuracyDifference?.value ?? 0) - (onlyB - onlyA) / 53) < 1e-12);
    const nanoUsd = (rows: readonly Row[]) => rows.filter(isOk).reduce((sum, row) => sum + Math.round(Number(row._cost_usd) * 1e9), 0);
    assert.deepEqual([found.a.answersNanoUsd, found.b.answersNanoUsd], [nanoUsd(first), nanoUsd(second)]);
    assert.equal(found.costDifferenceNanoUsd, nanoUsd(second) - nanoUsd(first));
    assert.deepEqual([found.a.spentNanoUsd, found.b.spentNanoUsd], costs.slice(0, 2));
    assert.deepEqual(found.jobChanges, ['prompt']);

    const changed = pairs.filter(({ a, b }) => isOk(a) !== isOk(b) || (isOk(a) && a.label !== b.label));
    const written = readTable(world, 'changes.csv');
    assert.deepEqual(
      written.map(({ id, gold }) => [id, gold]),
      changed.map(({ a }) => [a.id, a.team]),
    );
    assert.match(written.find(({ id }) => id === 't3')?.a ?? '', /^refused: /);
  });

  wideTest('diff --html writes the report of the later run with the comparison in it, and prints the same as without', async () => {
    const args = ['diff', 'job.yaml', runs[0] as string, runs[1] as string, '--gold', 'team', '--field', 'label'];
    const [found, written, plain] = [
      await world.json<RunComparison>(args),
      await world.run([...args, '--html', 'diff.html']),
      await world.run(args),
    ];
    assert.equal(written.exitCode, 0);
    assert.equal(written.stdout, plain.stdout);
    assert.match(written.stderr, new RegExp(`^Report of run ${runs[1]} with the comparison: diff\\.html$`, 'm'));
    const page = readFileSync(join(world.folder, 'diff.html'), 'utf8');
    const text = page.replaceAll(/<[^>]+>/g, ' ').replaceAll(/\s+/g, ' ');
    const share = (value: number | undefined) => `${((value ?? 0) * 100).toFixed(1)} %`;
    for (const words of [
      `Baseline ${runs[0]} and candidate ${runs[1]} , this run`,
      `${found.rows.same} the same 1 answered only in the baseline 2 answered only in the candidate 1 answered in neither`,
      `p = ${found.mcnemar.pValue.toFixed(4)} (exact): ${found.mcnemar.onlyA} rows correct only in the baseline, ${found.mcnemar.onlyB} only in the candidate`,
      `accuracy ${share(found.a.scores?.accuracy)}`,
      'job differs in prompt',
      'Row 3 t3 answered only in the candidate baseline refused: ',
      'Can I trust it? No clear winner',
    ])
      assert.ok(text.includes(words), `"${words}" is missing in ${text}`);
    // Without the section, and who won, it is the page the run wrote itself.
    const withoutTrust = (html: string) => html.replace(/<div class="ask"><h2>Can I trust it.*?<\/div><\/div>/s, '');
    await world.run(['report', 'job.yaml', '--run', runs[1] as string, '--html', 'own.html']);
    const own = readFileSync(join(world.folder, 'own.html'), 'utf8');
    const without = page
      .replace(/<section aria-labelledby="comparison">.*?<\/section>/s, '')
      .replace(/<li><a href="#comparison">[^<]*<\/a><\/li>/, '');
    assert.equal(withoutTrust(without), withoutTrust(own));
    assert.notEqual(page, own);
  });

  it('eval --run judges the answers as an earlier run left them, and --csv writes every wrong row', async () => {
    const args = ['eval', 'job.yaml', '--run', runs[0] as string, '--gold', 'team', '--field', 'label'];
    const { stdout, stderr, exitCode } = await world.run([...args, '--csv', 'wrong.csv']);
    assert.equal(exitCode, 0, stderr);
    const rows = (tables[0] as readonly Row[]).filter(({ team, _status }) => team !== '' && _status !== 'skipped');
    const wrong = rows.filter((row) => row._status !== 'ok' || row.label !== row.team);
    assert.match(stdout, new RegExp(`^answers +gpt-4o-mini, run ${runs[0]}$`, 'm'));
    assert.match(stdout, new RegExp(`^accuracy .*, ${rows.length - wrong.length} of ${rows.length}$`, 'm'));
    assert.match(stdout, new RegExp(`^and ${wrong.length - 10} more; --csv PATH writes all$`, 'm'));
    assert.match(stderr, /^Wrong rows: wrong\.csv$/m);
    assert.match((await world.run([...args.slice(0, 2), '--gold', 'out.csv'])).stderr, /^out\.csv: the table this job writes: /m);
    assert.deepEqual(
      readTable(world, 'wrong.csv').map(({ id, gold, text }) => [id, gold, text]),
      wrong.map(({ id, team, text }) => [id, team, text]),
    );
    assert.match(readTable(world, 'wrong.csv').find(({ id }) => id === 't6')?.answer ?? '', /^invalid: /);
    assert.deepEqual(
      readTable(world, 'wrong.csv').flatMap(({ id, answer = '' }) => (LABELS.includes(answer) ? [[id, answer]] : [])),
      wrong.flatMap(({ id, label, _status }) => (_status === 'ok' ? [[id, label]] : [])),
    );
  });

  it('diff shows what a retry changed, although both runs made the same requests', async () => {
    const found = await world.json<RunComparison>(['diff', 'job.yaml', runs[1] as string, runs[2] as string, '--field', 'label']);
    assert.deepEqual([found.rows.same, found.rows.changed, found.rows.answeredOnlyInB, found.rows.unanswered], [58, 0, 1, 1]);
    assert.deepEqual(found.mcnemar, { basis: 'answered', onlyA: 0, onlyB: 1, method: 'exact', statistic: null, pValue: 1 });
    assert.equal(found.a.scores, null);
    const { stdout } = await world.run(['diff', 'job.yaml', 'prev', 'last']);
    assert.match(stdout, new RegExp(`^tickets: label .*\nbaseline +${runs[1]}\ncandidate +${runs[2]}$`, 'ms'));
    assert.equal(found.examples.length, 1, 'a row answered in neither run does not differ');
    assert.doesNotMatch(stdout, /and \d+ more/);
    assert.match(stdout, /58 same, 0 changed, 0 answered only in the baseline, 1 only in the candidate, 1 in neither/);
  });

  wideTest('bad input is refused with what to type instead, exit 2', async () => {
    writeFileSync(join(world.folder, 'strangers.csv'), 'id,gold\nx1,bug\nx2,bug\n');
    writeFileSync(join(world.folder, 'twice.csv'), 'id,gold\nt1,bug\nt1,other\n');
    writeFileSync(join(world.folder, 'no-ids.csv'), 'text,gold\na,bug\n');
    writeFileSync(join(world.folder, 'no-gold.csv'), 'id,a,b\nt1,bug,bug\n');
    writeFileSync(join(world.folder, 'foreign.csv'), 'id,gold\nt1,Rechnung\n');
    const [a, b] = runs as [string, string];
    for (const [args, expected] of [
      [
        ['eval', '--gold', 'teem'],
        /--gold teem: neither a column of the table nor a file; columns: id, text, team\. Did you mean "team"\?/,
      ],
      [['eval', '--gold', 'team', '--field', 'lable'], /no field "lable" in its answers; fields: label, urgent\. Did you mean "label"\?/],
      [['eval', '--gold', 'strangers.csv'], /strangers\.csv: none of its ids is one of the table \(it has "x1", the table has "t1"\)/],
      [['eval', '--gold', 'twice.csv'], /twice\.csv:3:1 +the row "t1" is marked twice: bug and other/],
      [['eval', '--gold', 'no-ids.csv'], /no-ids\.csv: no column "id" \(input\.id\); columns: text, gold/],
      [['eval', '--gold', 'no-gold.csv'], /no-gold\.csv: which column has the right answers\? Name it gold or label/],
      [['eval', '--gold', 'foreign.csv'], /none of its values is a label of label: Rechnung; labels: billing, bug, other/],
      [
        ['eval'],
        /needs the right answers, from a column of the table or a file: rowmill eval job\.yaml --gold team, or rowmill eval job\.yaml --gold out\.sample\.csv Nothing/,
      ],
      [['eval', '--gold', 'team', '--run', 'nope'], /no run nope; runs: /],
      [['eval', '--gold', 'team', '--csv', 'tickets.csv'], /tickets\.csv/],
      [['sample', '--by', 'teem'], /--by teem: no such column in the answer or the table.*Did you mean "team"/],
      [['diff', a, 'nope'], new RegExp(`no run nope; runs: ${runs.join(', ')}`)],
      [['diff', a, a], /the same run twice/],
      [['diff', a, b, '--field', 'lable'], /no field "lable"/],
    ] as const) {
      const [command, ...rest] = args;
      const { exitCode, stderr } = await world.run([command, 'job.yaml', ...rest]);
      assert.equal(exitCode, 2, `${args.join(' ')}: ${stderr}`);
      assert.match(stderr.replace(/\s+/g, ' '), new RegExp(expected.source.replaceAll(' +', ' ')));
    }
    writeFileSync(join(world.folder, 'out.sample.csv'), 'id,text\n1,mine\n');
    const { exitCode, stderr } = await world.run(['sample', 'job.yaml']);
    assert.equal(exitCode, 2);
    assert.match(stderr, /is not a sheet to label/);
  });

  it('diff says so when the files of a run were dropped', async () => {
    const state = join(world.folder, '.rowmill', `tickets@${new URL(simulator.url).host.replace(':', '-')}`);
    assert.ok(existsSync(join(state, 'runs', runs[0] as string)));
    rmSync(join(state, 'runs', runs[0] as string), { recursive: true });
    const { exitCode, stderr } = await world.run(['diff', 'job.yaml', runs[0] as string, runs[1] as string]);
    assert.equal(exitCode, 2);
    assert.match(stderr, new RegExp(`the last 14 runs keep theirs; these have them: ${runs[1]}, ${runs[2]}`));
  });
});

describe('diff over changed jobs and tables', () => {
  it('judges each run by the rules of its own job, and copes with --fresh and with rows removed, added and reordered', async () => {
    const wide =
      'output: { json: object, schema: { type: object, required: [sentiment], properties: { sentiment: { enum: [negative, neutral, positive, mixed] } } } }';
    const narrow = wide.replace(', mixed', '');
    const text = (output: string) => `name: moods
input: { path: in.csv, id: id }
model: gpt-4o-mini
prompt: 'Reply in JSON with "sentiment". {{ text }}'
${output}
retry: { attempts: 1 }
write: { path: out.csv }
`;
    const rows = Array.from({ length: 20 }, (_, index) => `m${index},${['I love it', 'It is bad', 'It is a thing'][index % 3]} ${index}`);
    const world = createWorld({ 'in.csv': `id,text\n${rows.join('\n')}\n`, 'job.yaml': text(wide) });
    const simulator = await startSimulator({
      faults: [{ name: 'mixed', match: { batch: 1, row: 4 }, do: { answerText: '{"sentiment":"mixed"}' } }],
    });
    try {
      const env = { OPENAI_API_KEY: CANARY_KEY };
      const run = (...more: readonly string[]) =>
        world.json<{ run: string }>(['run', 'job.yaml', '--base-url', simulator.url, '--yes', ...more], env);
      const first = await run();
      const before = readTable(world, 'out.csv');
      assert.equal(before[3]?.sentiment, 'mixed');
      writeFileSync(join(world.folder, 'job.yaml'), text(narrow));
      writeFileSync(join(world.folder, 'in.csv'), `id,text\n${[...rows.slice(2).toReversed(), 'new,Another'].join('\n')}\n`);
      const second = await run('--fresh');
      const after = new Map(readTable(world, 'out.csv').map((row) => [row.id, row]));
      const found = await world.json<RunComparison>(['diff', 'job.yaml', first.run, second.run]);
      const both = before.slice(2);
      const isOkNow = (id: string | undefined) => after.get(id)?._status === 'ok';
      assert.equal(found.field, 'sentiment');
      assert.ok(both.every(({ id }) => isOkNow(id)) && new Set(both.map(({ sentiment }) => sentiment)).size > 2);
      assert.deepEqual([found.rows.compared, found.rows.onlyInA, found.rows.onlyInB, found.rows.notInTable], [18, 2, 1, 0]);
      assert.equal(found.rows.same, both.filter(({ id, sentiment }) => isOkNow(id) && after.get(id)?.sentiment === sentiment).length);
      assert.equal(found.rows.answeredOnlyInA, both.filter(({ id }) => !isOkNow(id)).length);
      assert.equal(found.a.rows, 20);
      assert.deepEqual(found.jobChanges, ['output']);
      const mixed = found.examples.find(({ id }) => id === 'm3');
      assert.equal(mixed?.a, 'mixed');
      // Over the table of the first run, what came later is not in it.
      writeFileSync(join(world.folder, 'old.csv'), 'id,text\nm5,It is a thing 5\n');
      const small = await world.json<RunComparison>(['diff', 'job.yaml', first.run, second.run, '--input', 'old.csv']);
      assert.deepEqual([small.rows.compared, small.rows.notInTable, small.rows.same], [18, 17, found.rows.same]);
    } finally {
      await simulator.close();
      world.dispose();
    }
  });
});
