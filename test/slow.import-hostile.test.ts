import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { ImportedBatch, ImportOptions } from '../src/upkeep/import/import.ts';
import { importInto, JOB, makeLine, verifyOk } from './helpers/import-world.ts';
import { makeRows, makeWorld } from './helpers/run-world.ts';

/** A line of an output file, as the provider writes it: $0.0000105 in a batch. */
function makeAnswer(customId: string, number: number, usage: object | null = { prompt_tokens: 100, completion_tokens: 10 }): string {
  const choices = [{ index: 0, message: { role: 'assistant', content: `answer ${number}` }, finish_reason: 'stop' }];
  const body = { id: `chatcmpl-${number}`, created: 1_796_000_000, model: 'gpt-4o-mini-2024-07-18', choices, usage };
  const response = { status_code: 200, request_id: `req_${number}`, body };
  return JSON.stringify({ id: `batch_req_${number}`, custom_id: customId, response, error: null });
}

function makeError(customId: string, number: number, code: string): string {
  return JSON.stringify({ id: `batch_req_e${number}`, custom_id: customId, response: null, error: { code, message: 'It was not done.' } });
}

const ANSWER_NANO_USD = 10_500;
const ROWS = makeRows(4);
const ASKED = ROWS.map(([id, text]) => makeLine(`mine-${id}`, text));
const SAID = ROWS.map(([id], number) => makeAnswer(`mine-${id}`, number));
const EXPIRED = ROWS.map(([id], number) => makeError(`mine-${id}`, number, 'batch_expired'));
const toText = (lines: readonly string[], newline = '\n') => lines.map((line) => `${line}${newline}`).join('');

interface Case {
  readonly of: string;
  readonly files?: Readonly<Record<string, string>>;
  /** One import after the other: files, and how each goes: what was booked, or why nothing was. */
  readonly steps: readonly (readonly [files: Partial<ImportOptions>, taken: Partial<ImportedBatch> | RegExp])[];
  /** Rows the next run need not ask. */
  readonly reused: number;
  /** What the ledger holds after the imports. */
  readonly answers: number;
}

const WHOLE = { result: 'imported', matched: 4, nanoUsd: 4 * ANSWER_NANO_USD } as const;
const KNOWN = { result: 'known', matched: 0, known: 4, nanoUsd: 0 } as const;
const REST = { result: 'imported', matched: 2, known: 2, nanoUsd: 2 * ANSWER_NANO_USD } as const;
const half = { half: toText(SAID.slice(0, 2)) };

const CASES: readonly Case[] = [
  { of: 'lines in another order', files: { said: toText(SAID.toReversed()) }, steps: [[{}, WHOLE]], reused: 4, answers: 4 },
  {
    of: 'a byte order mark and newlines of Windows',
    files: { asked: `\uFEFF${toText(ASKED, '\r\n')}`, said: `\uFEFF${toText(SAID, '\r\n')}` },
    steps: [[{}, WHOLE]],
    reused: 4,
    answers: 4,
  },
  {
    of: 'the same answers in other bytes',
    files: { other: toText(SAID, '\r\n') },
    steps: [
      [{}, WHOLE],
      [{ outputFile: 'other' }, KNOWN],
    ],
    reused: 4,
    answers: 4,
  },
  ...[[], ['batch_x']].map((batchIds) => ({
    of: `a part, then all of it, ${batchIds.length === 0 ? 'without an id' : 'by its id'}`,
    files: half,
    steps: [
      [{ outputFile: 'half', batchIds }, { matched: 2 }],
      [{ batchIds }, REST],
      [{ batchIds }, KNOWN],
    ] as const,
    reused: 4,
    answers: 4,
  })),
  {
    of: 'the errors later',
    files: { half: toText(SAID.slice(0, 3)), errors: toText(EXPIRED.slice(3)) },
    steps: [
      [{ outputFile: 'half' }, { matched: 3, failed: 0 }],
      [
        { outputFile: 'half', errorFile: 'errors' },
        { matched: 1, failed: 1, known: 3, nanoUsd: 0 },
      ],
    ],
    reused: 3,
    answers: 3,
  },
  { of: 'one file as both', steps: [[{ errorFile: 'said' }, { ...WHOLE, known: 4 }]], reused: 4, answers: 4 },
  {
    of: 'lines that come twice',
    files: { said: toText([...SAID, ...SAID]) },
    steps: [[{}, { ...WHOLE, known: 4 }]],
    reused: 4,
    answers: 4,
  },
  { of: 'requests that come twice', files: { asked: toText([...ASKED, ...ASKED]) }, steps: [[{}, WHOLE]], reused: 4, answers: 4 },
  {
    of: 'a download that was cut',
    files: { said: toText(SAID).slice(0, -40) },
    steps: [[{}, { matched: 3, malformed: 1 }]],
    reused: 3,
    answers: 3,
  },
  {
    of: 'errors alone',
    files: { errors: toText(EXPIRED) },
    steps: [
      [
        { outputFile: null, errorFile: 'errors' },
        { matched: 4, failed: 4, nanoUsd: 0 },
      ],
    ],
    reused: 0,
    answers: 0,
  },
  {
    of: 'usage with cached tokens, which cost in batches what others do',
    files: {
      said: toText(
        ROWS.map(([id], number) =>
          makeAnswer(`mine-${id}`, number, { prompt_tokens: 100, completion_tokens: 10, prompt_tokens_details: { cached_tokens: 90 } }),
        ),
      ),
    },
    steps: [[{}, WHOLE]],
    reused: 4,
    answers: 4,
  },
  {
    of: 'no usage',
    files: { said: toText(ROWS.map(([id], number) => makeAnswer(`mine-${id}`, number, null))) },
    steps: [[{}, { matched: 4, unpriced: 4, nanoUsd: 0 }]],
    reused: 4,
    answers: 0,
  },
  { of: 'an id that is a path', steps: [[{ batchIds: ['../../../x'] }, WHOLE]], reused: 4, answers: 4 },
  ...Object.entries({
    '': /the file of answers is empty\. Nothing was imported/,
    '<html>\n<body>Not found</body>\n': /in 2 lines there is no answer of a batch; name the file that the provider made from asked/,
    '\0\u0001\u0002': /in 1 line there is no answer/,
    [toText(ASKED)]: /in 4 lines there is no answer/,
    [toText(SAID).replaceAll('"mine-', '"else-')]: /in 4 answers none answers a request of asked/,
  }).map(([said, says]) => ({
    of: `refused: ${says.source}`,
    files: { said },
    steps: [[{}, says] as const, [{ outputFile: 'good' }, WHOLE] as const],
    reused: 4,
    answers: 4,
  })),
  ...(
    [
      [{ inputFile: 'said', outputFile: 'asked' }, /said:1: is not a request of a batch/],
      [{ inputFile: '.' }, /\.: is not a file/],
      [{ outputFile: '.' }, /\.: is not a file/],
      [{ inputFile: 'one-id' }, /no row of the table makes a request of this batch/],
      [{ inputFile: 'vectors' }, /it asked \/v1\/embeddings, the job asks \/v1\/chat\/completions/],
    ] as const
  ).map(([files, says]) => ({ of: `refused: ${says.source}`, steps: [[files, says] as const], reused: 0, answers: 0 })),
];

for (const { of, files = {}, steps, reused, answers } of CASES) {
  it(`import: ${of}`, async (t) => {
    const world = await makeWorld(t, { rows: ROWS, job: JOB });
    const all = {
      ...{ asked: toText(ASKED), said: toText(SAID), good: toText(SAID) },
      // One id for all requests names none of them.
      'one-id': toText(ASKED).replaceAll(/"mine-\w+"/g, '"mine"'),
      vectors: toText(ASKED).replaceAll('/v1/chat/completions', '/v1/embeddings'),
      ...files,
    };
    for (const [name, text] of Object.entries(all)) world.write(name, text);
    for (const [change, expected] of steps) {
      const taken = importInto(world, { inputFile: 'asked', outputFile: 'said', ...change });
      if (expected instanceof RegExp) await assert.rejects(taken, expected);
      else {
        const [batch] = (await taken).batches;
        assert.deepEqual(batch, { ...batch, ...expected });
      }
    }
    const { summary } = await world.run();
    assert.deepEqual([summary.exitCode, summary.rows.ok, summary.rows.reused], [0, 4, reused]);
    assert.equal(summary.ledger.nanoUsd - summary.cost.nanoUsd, answers * ANSWER_NANO_USD);
    await verifyOk(world);
  });
}
