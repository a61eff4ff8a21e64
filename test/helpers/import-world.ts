import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import OpenAI from 'openai';
import { verifyState } from '../../src/inspect/verify/verify.ts';
import { type ImportOptions, type ImportResult, importBatches } from '../../src/upkeep/import/import.ts';
import { makeReadOptionsOf, makeTargetOf } from './read-options.ts';
import { makeRows, makeWorld, type World } from './run-world.ts';

export const JOB = 'output: text\nprompt: "Say more: {{ text }}"\nparams: { max_output_tokens: 100 }';

export function importInto(world: World, change: Partial<ImportOptions>): Promise<ImportResult> {
  return importBatches({
    ...makeReadOptionsOf(world),
    overrides: { cwd: world.directory },
    stdin: null,
    effects: world.effects,
    target: makeTargetOf(world),
    ...{ batchIds: [], inputFile: null, outputFile: null, errorFile: null },
    warn: (message) => void world.said.push(message),
    ...change,
  });
}

/** As somebody else's script would write it: other ids, other order of fields, spaces. */
export function makeLine(customId: string, text: string, change: object = {}): string {
  const body = { messages: [{ content: `Say more: ${text}`, role: 'user' }], max_completion_tokens: 100, model: 'gpt-4o-mini', ...change };
  return JSON.stringify({ body, url: '/v1/chat/completions', method: 'POST', custom_id: customId }).replaceAll('":', '": ');
}

export async function makeBatch(world: World, lines: readonly string[]): Promise<OpenAI.Batch> {
  const client = new OpenAI({ apiKey: 'sk-other', baseURL: world.simulator.url, maxRetries: 0 });
  const file = await client.files.create({ purpose: 'batch', file: new File([`${lines.join('\n')}\n`], 'mine.jsonl') });
  const batch = await client.batches.create({ input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' });
  await world.simulator.advance(60_000);
  return client.batches.retrieve(batch.id);
}

export const content = async (world: World, id: string | null | undefined) =>
  (await fetch(`${world.simulator.url}/files/${id}/content`, { headers: { authorization: 'Bearer x' } })).text();

/** Ten rows, of which a batch of the plain client has asked eight, and two things more. */
export async function makeStage(t: TestContext) {
  const rows = makeRows(10);
  const world = await makeWorld(t, { rows, job: JOB });
  const lines = rows.slice(0, 8).map(([id, text]) => makeLine(`mine-${id}`, text));
  const batch = await makeBatch(world, [...lines, makeLine('else-1', 'another row'), makeLine('else-2', 'a second other row')]);
  return { world, rows, lines, batch };
}

export async function verifyOk(world: World): Promise<void> {
  const { ok, checks } = await verifyState(makeReadOptionsOf(world));
  assert.ok(ok, JSON.stringify(checks.filter(({ status }) => status === 'failed')));
}
