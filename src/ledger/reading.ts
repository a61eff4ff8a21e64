import path from 'node:path';
import { LedgerError } from '../core/errors.ts';
import { explainHold } from '../core/outcome.ts';
import { parseCustomId } from '../core/request.ts';
import type { DecideLine } from '../core/response-line.ts';
import type { LineLocation, SettledRecord } from '../core/settled.ts';
import type { Ledger } from './ledger.ts';
import type { LedgerState } from './ledger-state.ts';
import type { ResponseFile } from './response-file.ts';
import { createAnswerReader, makeAnswerlessRecord, type StoredAnswer } from './responses/answers.ts';
import { readForeignLines } from './responses/foreign-lines.ts';
import type { SettledIndex } from './responses/settled-index.ts';

/** The part of a ledger that only looks. */
export type Reading = Pick<
  Ledger,
  | 'anomaliesOfRun'
  | 'readForeignLines'
  | 'readShardIds'
  | 'shardPath'
  | 'responsePath'
  | 'readAnswer'
  | 'readJudgedAnswer'
  | 'readHistory'
  | 'recordsOfRun'
  | 'close'
>;

export function createReading(options: {
  readonly directory: string;
  readonly decide: DecideLine;
  readonly state: LedgerState;
  readonly settled: SettledIndex;
}): Reading & { readonly readLineIds: (customId: string) => readonly string[] } {
  const { state, settled } = options;
  const { keys, fold } = state;
  const responses = path.join(options.directory, 'responses');
  const answers = createAnswerReader(responses, options.decide);

  function readAt(number: number, location: Pick<LineLocation, 'offsetBytes' | 'lengthBytes'>): StoredAnswer {
    return answers.read(state.files[number - 1] as ResponseFile, location);
  }

  function readRecord(record: SettledRecord): StoredAnswer {
    return readAt((state.files.find((file) => file.name === record.location.file) as ResponseFile).number, record.location);
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
    readAnswer(id) {
      const location = keys.location(id);
      if (location !== null) return readAt(location.file, location);
      const outcome = keys.outcome(id);
      const held = outcome === 'unknown' ? explainHold(keys.doubts(id)) : null;
      return makeAnswerlessRecord(outcome, state.rejections.get(id), held);
    },
    readJudgedAnswer(id) {
      for (const record of settled.readHistory(keys.settledOffset(id))) {
        if (record.outcome !== 'invalid' && record.outcome !== 'truncated') continue;
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
      return records.filter((record) => record.customId === customId).map((record) => readRecord(record).line?.id ?? '');
    },
    recordsOfRun: (run) => settled.recordsOfRun(run),
    async close() {
      answers.close();
      settled.close();
    },
  };
}

/** Names of files never lead out of their directory. */
function plainName(name: string): string {
  if (name === '' || name.startsWith('.') || path.basename(name) !== name) {
    throw new LedgerError('a file of the state directory cannot have this name', { file: name, line: 0 });
  }
  return name;
}
