import path from 'node:path';
import { LedgerError } from '../core/errors.ts';
import { explainHold } from '../core/outcome.ts';
import { parseCustomId } from '../core/request.ts';
import type { DecideLine } from '../core/response-line.ts';
import type { LineLocation, SettledRecord } from '../core/settled.ts';
import type { AnswerLocation } from './answer-location.ts';
import type { Ledger } from './ledger.ts';
import type { LedgerState } from './ledger-state.ts';
import type { ResponseFile } from './response-file.ts';
import { createAnswerReader, makeAnswerlessRecord, type StoredAnswer } from './responses/answers.ts';
import { readForeignLines } from './responses/foreign-lines.ts';
import type { SettledIndex } from './responses/settled-index.ts';
import type { TableAnswer } from './responses/short-answer.ts';

/** The read-only part of a ledger. */
export type Reading = Pick<
  Ledger,
  | 'anomaliesOfRun'
  | 'explainHold'
  | 'readForeignLines'
  | 'readShardIds'
  | 'shardPath'
  | 'responsePath'
  | 'readAnswer'
  | 'readTableAnswer'
  | 'readJudgedAnswer'
  | 'readHistory'
  | 'readLineIds'
  | 'recordsOfRun'
  | 'close'
>;

export function createReading(options: {
  readonly directory: string;
  readonly decide: DecideLine;
  readonly state: LedgerState;
  readonly settled: SettledIndex;
}): Reading {
  const { state, settled } = options;
  const { keys, fold } = state;
  const responses = path.join(options.directory, 'responses');
  const answers = createAnswerReader(responses, options.decide);

  function readAt(number: number, location: Pick<LineLocation, 'offsetBytes' | 'lengthBytes'>): StoredAnswer {
    return answers.read(state.files[number - 1] as ResponseFile, location);
  }

  /** An answer is used only if its line is about this key. */
  function readOwn(id: number, location: AnswerLocation): StoredAnswer {
    const stored = readAt(location.file, location);
    if (keys.find(parseCustomId(stored.line?.custom_id ?? '')?.key ?? '') === id) return stored;
    const file = path.join(responses, state.files[location.file - 1]?.name ?? '');
    throw new LedgerError(
      `the line at byte ${location.offsetBytes} answers another request than was recorded; restore the file from a backup`,
      {
        file,
        line: 0,
      },
    );
  }

  const isAltered = ({ location }: SettledRecord) => [...state.altered.values()].includes(location.file);

  function explainHoldOf(id: number): string | null {
    const altered = state.altered.get(keys.location(id)?.file ?? 0);
    if (altered === undefined) return explainHold(keys.doubts(id));
    return `held: its answer is in ${path.join(responses, altered)}, whose bytes were altered; restore that file from a backup, or retry sends it, and pays, again`;
  }

  function readRecord(record: SettledRecord): StoredAnswer {
    return readAt((state.files.find((file) => file.name === record.location.file) as ResponseFile).number, record.location);
  }

  function readAnswer(id: number): StoredAnswer {
    const location = keys.location(id);
    if (location !== null && !state.altered.has(location.file)) return readOwn(id, location);
    const outcome = keys.outcome(id);
    const held = outcome === 'unknown' ? explainHoldOf(id) : null;
    return makeAnswerlessRecord(outcome, state.rejections.get(id), held);
  }

  /** Null if the record of the line that counts is not the newest, or does not contain its answer. */
  function readFromRecord(id: number): TableAnswer | null {
    const location = keys.location(id);
    const settledOffset = keys.settledOffset(id);
    if (location === null || settledOffset < 0 || state.altered.has(location.file)) return null;
    return settled.readTableAnswer(settledOffset, location);
  }

  return {
    anomaliesOfRun(run) {
      const sums = new Map<string, number>();
      for (const [number, anomalies] of state.anomaliesByFile) {
        if (state.files[number - 1]?.run !== run) continue;
        for (const [kind, lines] of anomalies) sums.set(kind, (sums.get(kind) ?? 0) + lines);
      }
      return sums;
    },
    async *readForeignLines(run, signal) {
      for (const [number, anomalies] of state.anomaliesByFile) {
        const file = state.files[number - 1];
        if (file === undefined || file.run !== run || !anomalies.has('foreign')) continue;
        yield* readForeignLines({ path: path.join(responses, file.name), file, decide: options.decide, signal });
      }
    },
    readShardIds: async (shard) => state.readShardIds(shard),
    shardPath: (shard) => path.join(options.directory, 'requests', `${plainName(shard)}.jsonl`),
    responsePath: (name) => path.join(responses, plainName(name)),
    readAnswer,
    readTableAnswer: (id) => readFromRecord(id) ?? describe(readAnswer(id)),
    explainHold: explainHoldOf,
    readJudgedAnswer(id) {
      for (const record of settled.readHistory(keys.settledOffset(id))) {
        if ((record.outcome !== 'invalid' && record.outcome !== 'truncated') || isAltered(record)) continue;
        const { line, outcome } = readRecord(record);
        if (line !== null) return { cause: record.outcome, text: outcome.answerText, message: outcome.message };
      }
      return null;
    },
    readHistory(id) {
      const run = fold.epochRuns[keys.attemptEpoch(id)] ?? '';
      const records: SettledRecord[] = [];
      for (const record of settled.readHistory(keys.settledOffset(id))) {
        if (record.run !== run) break;
        records.push(record);
      }
      return records;
    },
    readLineIds(customId) {
      const id = keys.find(parseCustomId(customId)?.key ?? '');
      const records = id === -1 ? [] : [...settled.readHistory(keys.settledOffset(id))];
      return records
        .filter((record) => record.customId === customId && !isAltered(record))
        .map((record) => readRecord(record).line?.id ?? '');
    },
    recordsOfRun: (run) => settled.recordsOfRun(run),
    async close() {
      answers.close();
      settled.close();
    },
  };
}

function describe({ line, outcome, lane, createdSeconds }: StoredAnswer): TableAnswer {
  const requestId = line?.response?.request_id ?? null;
  return { outcome, answerCharacters: outcome.answerText?.length, requestId, lane, createdSeconds };
}

/** Names of files never lead out of their directory. */
function plainName(name: string): string {
  if (name === '' || name.startsWith('.') || path.basename(name) !== name) {
    throw new LedgerError('a file of the state directory cannot have this name', { file: name, line: 0 });
  }
  return name;
}
