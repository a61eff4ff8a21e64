import { setTimeout as delay } from 'node:timers/promises';
import OpenAI from 'openai';
import pLimit from 'p-limit';
import { makeLiveBody, makeLiveText } from '../test/helpers/live-rows.ts';

/** What came of the rows of a plain script. */
export interface ScriptEnd {
  readonly ok: number;
  /** Rows the client gave up after its retries: the script has no answer for them. */
  readonly failed: number;
}

/** The script most people write: the client with its defaults, two retries included, and p-limit. A crash loses everything. */
export async function runScript(options: {
  readonly baseUrl: string;
  readonly rows: number;
  readonly concurrency: number;
  readonly capTokens: number;
}): Promise<ScriptEnd> {
  const client = new OpenAI({ apiKey: 'sk-bench', baseURL: options.baseUrl });
  const limit = pLimit(options.concurrency);
  const answers: string[] = [];
  let failed = 0;
  const ask = async (row: number) => {
    try {
      const answer = await client.chat.completions.create(makeLiveBody(makeLiveText(row), options.capTokens));
      answers[row] = answer.choices[0]?.message.content ?? '';
    } catch {
      failed += 1;
    }
  };
  const asked: Promise<void>[] = [];
  for (let row = 0; row < options.rows; row += 1) {
    asked.push(limit(() => ask(row)));
    // Like a script that reads its table: it does not hold all rows at once.
    while (limit.pendingCount > 2 * options.concurrency) await delay(1);
  }
  await Promise.all(asked);
  return { ok: options.rows - failed, failed };
}
