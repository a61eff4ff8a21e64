import { join } from 'node:path';
import type { StoredEvent } from '../../core/event.ts';
import { forEachLine, readLineChunks } from '../../ledger/disk/read-lines.ts';
import { readEventLine } from '../../ledger/events/event-line.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { TempoCounter } from '../../output/report/count/tempo-counter.ts';
import type { BatchTimeline, Phase } from '../../output/report/facts.ts';

/** The events that say when something happened; the others, some of them long lists of ids, are skipped unread. */
const TOLD: ReadonlySet<string> = new Set([
  'run-started',
  'run-ended',
  'upload-intent',
  'upload-done',
  'create-intent',
  'create-done',
  'batch-status',
  'batch-collected',
  'response-recorded',
  'call-refused',
] satisfies StoredEvent['type'][]);
const HEAD = /^\{"seq":\d+,"at":"[^"]*","type":"([^"]*)"/;
const HEAD_BYTES = 120;

/** The phase that starts when a batch is seen with a status. */
const PHASE_BY_STATUS: Readonly<Record<string, Phase['name']>> = {
  in_progress: 'in progress',
  finalizing: 'finalizing',
  completed: 'collecting',
  failed: 'collecting',
  expired: 'collecting',
  cancelled: 'collecting',
};

interface Timeline {
  readonly id: string;
  readonly shard: string;
  readonly phases: Phase[];
  /** Its current phase; null once everything is collected. */
  current: { readonly name: Phase['name']; readonly fromAt: string } | null;
}

/** Reads when each batch of a run was in which phase, and counts over time what their files contained and which live calls were too fast. */
export async function readRunTimeline(
  ledger: Ledger,
  run: string,
  tempo: TempoCounter,
  signal: AbortSignal,
): Promise<readonly BatchTimeline[]> {
  const underWay = new Map<string, Timeline>();
  const uploads = new Map<string, { fromAt: string; toAt: string | null; createAt: string | null }>();

  function enter(id: string, name: Phase['name'] | null, at: string): void {
    const timeline = underWay.get(id);
    if (timeline === undefined || timeline.current === null || timeline.current.name === name) return;
    timeline.phases.push({ ...timeline.current, toAt: at });
    timeline.current = name === null ? null : { name, fromAt: at };
  }

  function take(event: StoredEvent): void {
    const { at } = event;
    switch (event.type) {
      case 'upload-intent':
        uploads.set(event.shard, { fromAt: at, toAt: null, createAt: null });
        return;
      case 'upload-done':
        uploads.set(event.shard, { fromAt: at, ...uploads.get(event.shard), toAt: at, createAt: null });
        return;
      case 'create-intent':
        uploads.set(event.shard, { fromAt: at, toAt: null, ...uploads.get(event.shard), createAt: at });
        return;
      case 'create-done': {
        const upload = uploads.get(event.shard);
        const uploaded = upload?.toAt == null ? [] : [{ name: 'upload' as const, fromAt: upload.fromAt, toAt: upload.toAt }];
        const current = { name: 'validating' as const, fromAt: upload?.createAt ?? at };
        underWay.set(event.batchId, { id: event.batchId, shard: event.shard, phases: uploaded, current });
        return;
      }
      case 'batch-status':
        enter(event.batchId, PHASE_BY_STATUS[event.status] ?? underWay.get(event.batchId)?.current?.name ?? null, at);
        return;
      case 'response-recorded':
        if (underWay.has(event.batchId)) tempo.add(Date.parse(at), { answers: event.lines });
        return;
      case 'batch-collected':
        enter(event.batchId, null, at);
        return;
      case 'call-refused': {
        const rateLimited = event.refusals.filter(({ code }) => RATE_CODES.test(code)).length;
        if (rateLimited > 0) tempo.add(Date.parse(at), { rateLimited });
        return;
      }
    }
  }

  for await (const event of readTold(ledger, run, signal)) take(event);
  const now = (timeline: Timeline) => timeline.current?.fromAt ?? '';
  return [...underWay.values()].map((timeline) => ({
    id: timeline.id,
    requests: ledger.fold.shards.get(timeline.shard)?.rows ?? 0,
    status: ledger.fold.batches.get(timeline.id)?.status ?? '',
    phases: timeline.current === null ? timeline.phases : [...timeline.phases, { ...timeline.current, toAt: now(timeline) }],
  }));
}

/** Codes of a 429 about the rate: the API's, and ours if a server gives none. */
const RATE_CODES = /rate_limit|^http_429$|too_many_requests/;

/** The events of one run. */
async function* readTold(ledger: Ledger, run: string, signal: AbortSignal): AsyncGenerator<StoredEvent> {
  let isOfRun = false;
  for await (const { bytes } of readLineChunks(join(ledger.directory, 'events.jsonl'), { signal })) {
    const told: StoredEvent[] = [];
    forEachLine(bytes, (start, end) => {
      const type = HEAD.exec(bytes.toString('latin1', start, Math.min(end, start + HEAD_BYTES)))?.[1];
      if (type === undefined || !TOLD.has(type) || (!isOfRun && type !== 'run-started')) return;
      const reading = readEventLine(bytes.subarray(start, end));
      if (reading.status !== 'event') return;
      const { event } = reading;
      if (event.type === 'run-started') isOfRun = event.run === run;
      else if (event.type === 'run-ended') isOfRun = false;
      else told.push(event);
    });
    yield* told;
  }
}
