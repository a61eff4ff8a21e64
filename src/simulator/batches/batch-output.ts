import * as fs from 'node:fs';
import { hashDigits } from '../hash.ts';
import { nowSeconds, type Simulation } from '../simulation.ts';
import type { BatchRecord } from '../store.ts';
import type { BatchUsage } from '../wire-objects.ts';

/** The output or error file of a batch being written; clients see it only after `publish`. */
export interface BatchOutput {
  write(lines: readonly (string | Buffer)[]): void;
  /** Makes it a file of the store, and returns its id; null if nothing was written. The same batch always gets the same id. */
  publish(): string | null;
  /** Discards the file of a batch that will be continued later. */
  abandon(): void;
}

const BYTE_ORDER_MARK = Buffer.of(0xef, 0xbb, 0xbf);
const MONTH_SECONDS = 2_592_000;

/** Starts the file of one kind again; what a killed process had written of it is dropped. */
export function openBatchOutput({ store, clock }: Simulation, batch: BatchRecord, kind: 'output' | 'error'): BatchOutput {
  const id = `file-${hashDigits(store.identity, batch.wire.id, kind)}`;
  const temporary = `${store.contentPath(id)}.tmp`;
  const descriptor = fs.openSync(temporary, 'w', 0o600);
  const hasBom = kind === 'output' && batch.faults.some((fault) => fault.type === 'bom');
  let bytes = 0;

  function writeBytes(content: Buffer): void {
    let written = 0;
    while (written < content.length) written += fs.writeSync(descriptor, content, written);
    bytes += content.length;
  }

  return {
    write(lines) {
      if (lines.length === 0) return;
      if (bytes === 0 && hasBom) writeBytes(BYTE_ORDER_MARK);
      const isText = lines.every((line) => typeof line === 'string');
      writeBytes(
        isText ? Buffer.from(lines.join('')) : Buffer.concat(lines.map((line) => (typeof line === 'string' ? Buffer.from(line) : line))),
      );
    },
    abandon: () => fs.closeSync(descriptor),
    publish() {
      fs.closeSync(descriptor);
      if (bytes === 0) {
        fs.rmSync(temporary, { force: true });
        return null;
      }
      fs.renameSync(temporary, store.contentPath(id));
      const createdAt = nowSeconds(clock);
      store.saveFile({
        number: store.nextNumber(),
        wire: {
          id,
          object: 'file',
          bytes,
          created_at: createdAt,
          expires_at: createdAt + (batch.outputExpiresAfterSeconds ?? MONTH_SECONDS),
          filename: `${batch.wire.id}_${kind}.jsonl`,
          purpose: 'batch_output',
          status: 'processed',
          status_details: null,
        },
      });
      return id;
    },
  };
}

/** The sum of a batch without an answered row. */
export const NO_BATCH_USAGE: BatchUsage = {
  input_tokens: 0,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 0,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 0,
};

type Usage = Readonly<Record<string, unknown>>;

/** Adds the usage of one row, chat, Responses or embeddings, to that of its batch. */
export function addUsage(sum: BatchUsage, usage: Usage): BatchUsage {
  const input = readCount(usage, 'input_tokens') || readCount(usage, 'prompt_tokens');
  const output = readCount(usage, 'output_tokens') || readCount(usage, 'completion_tokens');
  const cached = readCount((usage.input_tokens_details ?? usage.prompt_tokens_details) as Usage | undefined, 'cached_tokens');
  const reasoning = readCount((usage.output_tokens_details ?? usage.completion_tokens_details) as Usage | undefined, 'reasoning_tokens');
  return {
    input_tokens: sum.input_tokens + input,
    input_tokens_details: { cached_tokens: sum.input_tokens_details.cached_tokens + cached },
    output_tokens: sum.output_tokens + output,
    output_tokens_details: { reasoning_tokens: sum.output_tokens_details.reasoning_tokens + reasoning },
    total_tokens: sum.total_tokens + input + output,
  };
}

function readCount(usage: Usage | undefined, name: string): number {
  const count = usage?.[name];
  return typeof count === 'number' ? count : 0;
}
