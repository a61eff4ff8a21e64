import { once } from 'node:events';
import { appendFileSync, createReadStream, createWriteStream, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openBenchJob } from './bench-job.ts';
import { createRandom } from './table-generator.ts';

/** The id of a shard's batch. */
export function makeBatchId(shard: string): string {
  return `batch_${shard}`;
}

const LABELS = ['billing', 'bug', 'feature', 'other'];

/**
 * Sends every packed shard, as far as the ledger knows, and writes its output file: in shuffled order, with lines as the API writes them; the ids in
 * the order of the table are kept beside in `order.txt`.
 */
export async function writeAnswers(folder: string): Promise<Readonly<Record<string, number>>> {
  const { ledger } = await openBenchJob(folder);
  for (const shard of ledger.fold.shards.keys()) {
    await ledger.append({ type: 'upload-intent', shard, filename: `${shard}.jsonl` });
    await ledger.append({ type: 'upload-done', shard, fileId: `file-${shard}` });
    await ledger.append({ type: 'create-intent', shard, attempt: 1, fileId: `file-${shard}`, keyFingerprint: 'bench' });
    await ledger.append({ type: 'create-done', shard, attempt: 1, batchId: makeBatchId(shard), how: 'response' });
  }
  await ledger.close();
  const random = createRandom(7);
  const requests = join(folder, '.rowmill', 'bench', 'requests');
  mkdirSync(join(folder, 'answers'));
  let lines = 0;
  for (const name of readdirSync(requests).toSorted()) {
    const customIds: string[] = [];
    for await (const line of createInterface({ input: createReadStream(join(requests, name)) })) customIds.push(line.slice(14, 36));
    appendFileSync(join(folder, 'order.txt'), `${customIds.join('\n')}\n`);
    for (let last = customIds.length - 1; last > 0; last -= 1) {
      const other = Math.floor(random() * (last + 1));
      [customIds[last], customIds[other]] = [customIds[other] as string, customIds[last] as string];
    }
    const stream = createWriteStream(join(folder, 'answers', name));
    for (let start = 0; start < customIds.length; start += 1000) {
      const chunk = customIds.slice(start, start + 1000).map((customId) => makeLine(customId, ++lines, random));
      if (!stream.write(`${chunk.join('\n')}\n`)) await once(stream, 'drain');
    }
    stream.end();
    await once(stream, 'close');
  }
  return { lines };
}

function makeLine(customId: string, number: number, random: () => number): string {
  const content = JSON.stringify({ label: LABELS[Math.floor(random() * 4)], confidence: Math.round(random() * 100) / 100 });
  const input = 100 + Math.floor(random() * 80);
  return JSON.stringify({
    id: `batch_req_${number}`,
    custom_id: customId,
    response: {
      status_code: 200,
      request_id: `req_${number}`,
      body: {
        id: `chatcmpl-${number}`,
        object: 'chat.completion',
        created: 1_795_219_200,
        model: 'gpt-4o-mini-2024-07-18',
        choices: [{ index: 0, message: { role: 'assistant', content, refusal: null }, logprobs: null, finish_reason: 'stop' }],
        usage: {
          prompt_tokens: input,
          completion_tokens: 12,
          total_tokens: input + 12,
          prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
          completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
        },
        service_tier: 'default',
        system_fingerprint: 'fp_0',
      },
    },
    error: null,
  });
}
