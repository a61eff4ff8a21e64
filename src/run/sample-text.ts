import type { FinishedRow } from '../core/finished-row.ts';
import type { Row } from '../core/row.ts';
import type { CompiledJob } from '../input/compile-job.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { SampleText } from '../output/report/facts.ts';
import { readAnswerText } from './due-request.ts';

/** Characters kept of one text: far more than a report shows of it. */
const KEPT = { id: 200, message: 800, answer: 12_000, prompt: 8_000, raw: 8_000 } as const;

/** Makes the function that reads what a row says: its id, its prompt, and what the model answered. */
export function createTextReader(
  compiled: CompiledJob,
  ledger: Ledger,
): (finished: Pick<FinishedRow, 'row' | 'key' | 'disposition'>) => SampleText {
  return ({ row, key, disposition }) => {
    const id = key === null ? -1 : ledger.keys.find(key);
    const { line, outcome } = id === -1 ? { line: null, outcome: null } : ledger.readAnswer(id);
    const raw = readAnswerText(line);
    const answer = outcome?.status !== 'ok' ? null : typeof outcome.value === 'string' ? outcome.value : JSON.stringify(outcome.value);
    return {
      id: clip(compiled.rowId(row), KEPT.id),
      message: 'message' in disposition ? clip(disposition.message, KEPT.message) : null,
      answer: answer === null ? null : clip(answer, KEPT.answer),
      prompt: readPrompt(compiled, row),
      raw: raw === null || raw === answer ? null : clip(raw, KEPT.raw),
    };
  };
}

/** What the row asks, message by message; nothing for a row that cannot be rendered. */
function readPrompt({ render }: CompiledJob, row: Row): SampleText['prompt'] {
  const rendered = render(row);
  if (rendered.status === 'skipped') return [];
  const { messages = [] } = JSON.parse(rendered.request.body) as { messages?: readonly { role: string; content: unknown }[] };
  return messages.map(({ role, content }) => ({
    role,
    text: clip(typeof content === 'string' ? content : JSON.stringify(content), Math.floor(KEPT.prompt / messages.length)),
  }));
}

function clip(text: string, characters: number): string {
  return text.length <= characters ? text : `${text.slice(0, characters)}…`;
}
