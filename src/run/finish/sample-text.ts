import { clip } from '../../core/bounds/clip.ts';
import { stringifyExactly } from '../../core/exact/exact-number.ts';
import type { Row, Table } from '../../core/row.ts';
import type { CompiledJob } from '../../input/compile-job.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { SampleFacts, SampleText } from '../../output/report/facts.ts';
import { readAnswerText } from '../send/due-request.ts';

/** Characters kept of one text: far more than a report shows of it. */
const KEPT = { id: 200, message: 800, answer: 12_000, prompt: 8_000, raw: 8_000 } as const;

/** A row to be read, and how it ended. */
export interface TextSource {
  readonly row: Row;
  readonly key: string | null;
  readonly isOk: boolean;
}

/** Makes the function that reads a row's text: its id, its prompt, and the model's answer. */
export function createTextReader(compiled: CompiledJob, ledger: Pick<Ledger, 'keys' | 'readAnswer'>): (source: TextSource) => SampleText {
  return ({ row, key, isOk }) => {
    const id = key === null ? -1 : ledger.keys.find(key);
    const stored = id === -1 ? null : ledger.readAnswer(id);
    const raw = readAnswerText(stored?.line ?? null);
    const value = isOk ? (stored?.outcome.written ?? stored?.outcome.value) : undefined;
    const answer = value === undefined ? null : typeof value === 'string' ? value : stringifyExactly(value);
    const rendered = compiled.render(row);
    const message = rendered.status === 'skipped' ? rendered.message : (stored?.outcome.message ?? '');
    return {
      id: clip(compiled.rowId(row), KEPT.id),
      message: isOk || message === '' ? null : clip(message, KEPT.message),
      answer: answer === null ? null : clip(answer, KEPT.answer),
      prompt: rendered.status === 'skipped' ? [] : readPrompt(rendered.request.body),
      raw: raw === null || raw === answer ? null : clip(raw, KEPT.raw),
    };
  };
}

/** Reads the text of a report's rows from the table and the ledger; a row that has moved, or whose request has changed, has none. */
export async function readSampleTexts(
  samples: readonly SampleFacts[],
  {
    compiled,
    table,
    ledger,
    signal,
  }: { compiled: CompiledJob; table: Table; ledger: Pick<Ledger, 'keys' | 'readAnswer'>; signal: AbortSignal },
): Promise<ReadonlyMap<number, SampleText>> {
  const readText = createTextReader(compiled, ledger);
  const wanted = new Map(samples.map((sample) => [sample.row - 1, sample]));
  const last = Math.max(-1, ...wanted.keys());
  const texts = new Map<number, SampleText>();
  if (wanted.size === 0) return texts;
  for await (const rows of table.readRows(signal)) {
    for (const row of rows) {
      const sample = wanted.get(row.index);
      if (sample === undefined || !asksTheSame(compiled, row, sample)) continue;
      texts.set(sample.row, readText({ row, key: sample.key, isOk: sample.status === 'ok' }));
    }
    if ((rows.at(-1)?.index ?? 0) >= last) break;
  }
  return texts;
}

function asksTheSame({ render }: CompiledJob, row: Row, { key }: SampleFacts): boolean {
  const rendered = render(row);
  return rendered.status === 'skipped' ? key === null : key?.startsWith(rendered.request.key) === true;
}

/** The messages of a request, one after the other, in the terms of each endpoint. */
function readPrompt(body: string): SampleText['prompt'] {
  const { messages, instructions, input } = JSON.parse(body) as Record<string, unknown>;
  const said = messages ?? [...(instructions === undefined ? [] : [{ role: 'system', content: instructions }]), ...[input].flat()];
  const list = Array.isArray(said) ? said : [];
  return list.map((message) => {
    const { role, content } = typeof message === 'object' && message !== null ? message : { role: 'user', content: message };
    const text = typeof content === 'string' ? content : (JSON.stringify(content) ?? '');
    return { role: String(role ?? 'user'), text: clip(text, Math.floor(KEPT.prompt / list.length)) };
  });
}
