import { findControlsOfJson } from '../core/answer/control-characters.ts';
import type { AppError } from '../core/errors.ts';
import type { AnnouncedCall, PriceTerms, PromptControls } from '../core/event.ts';
import { createGathering } from '../core/gathering.ts';
import type { Lane } from '../core/lane.ts';
import { countAnswerCaps, parseCustomId, type Request } from '../core/request.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { isSimulatedLine, isUndeliveredLine } from './call.ts';
import type { CallEnd, CallOwner, CallQueue, QueueView } from './queue.ts';

/** The live lane: calls are made now, as fast as the limits allow. It retries rows itself; only re-asks need another pass over the table. */
export interface LiveLane extends Lane {
  readonly view: QueueView;
  /** Leaves late ends where they are, or collects them again. Resolves when none is being written to the ledger. */
  holdEnds(isHeld: boolean): Promise<void>;
  /** Frees what the queue holds. Calls of a shared queue continue. */
  close(): Promise<void>;
}

export interface LiveContext {
  readonly ledger: Pick<Ledger, 'append' | 'recordLines' | 'markQueued' | 'keys' | 'fold'>;
  readonly queue: CallQueue;
  /** What bounds the price of a call, for the event that announces it; absent if it is not recorded. */
  readonly readTerms?: () => PriceTerms;
  /** Whether a key, whose latest outcome was just recorded, is to be sent again unchanged. */
  readonly isDueAgain: (id: number) => boolean;
  /** Whether another try of this request stays within the budget. */
  readonly isAffordable: (request: Request) => boolean;
  /** Called when a call had to be repeated without its prompt cache settings. */
  readonly onUndelivered?: () => Promise<void>;
  /** A simulator gave an answer that is about to be stored. */
  readonly onSimulated?: () => Promise<void>;
  /** Uniform in 0..1. */
  readonly random: () => number;
  /** Fires when no further work is wanted: nothing more leaves, calls in flight finish. */
  readonly stopping: AbortSignal;
}

/** A key's request held by the lane: queued, in flight, or waiting to be retried. */
interface Held {
  /** Null if an earlier process handed it over. */
  readonly request: Request | null;
  readonly answerCaps: number;
  readonly promptTokens: number;
  readonly bodyBytes: number;
  /** Failed tries since it was added. */
  readonly failures: number;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 60_000;

export function createLiveLane(context: LiveContext): LiveLane {
  const { ledger, queue, stopping } = context;
  const { keys } = ledger;
  const held = new Map<number, Held>();
  let heldBytes = 0;
  let heldAnswerCaps = 0;
  let fault: { readonly error: unknown } | null = null;
  let hasGivenBack = false;
  let isAttached = false;
  let endsSeen = 0;
  let endsTold = 0;
  let awaitingChange: (() => void)[] = [];

  const intents = createCoalescedCalls<Request>((requests) => {
    const calls = requests.map(({ customId, body }): AnnouncedCall => ({ customId, bodyBytes: Buffer.byteLength(body) }));
    const type = queue.isShared === true ? 'call-queued' : 'call-intent';
    const terms = context.readTerms === undefined ? {} : { terms: context.readTerms() };
    return ledger.append({ type, calls, controls: readPromptControls(requests), ...terms });
  });

  const owner: CallOwner = {
    announce: (calls) => intents.add(calls.map(({ request }) => request)),
    async record(ends) {
      await Promise.all([recordRefusals(ends), recordUnknown(ends), recordAnswers(ends)]);
      for (const end of ends) if (end.status !== 'refused') conclude(end);
    },
    halt(error: AppError) {
      fault ??= { error };
      tellChange();
    },
  };

  async function recordRefusals(ends: readonly CallEnd[]): Promise<void> {
    const refusals = ends.flatMap((end) => (end.status === 'refused' ? [{ customId: end.customId, code: end.code }] : []));
    if (refusals.length > 0) await ledger.append({ type: 'call-refused', refusals });
  }

  async function recordUnknown(ends: readonly CallEnd[]): Promise<void> {
    for (const end of ends) {
      if (end.status !== 'unknown') continue;
      const { customId, bodyBytes, why, isInterruption = false } = end;
      await ledger.append({ type: 'call-unknown', calls: [{ customId, bodyBytes }], why, isInterruption });
    }
  }

  async function recordAnswers(ends: readonly CallEnd[]): Promise<void> {
    const lines = ends.filter((end) => end.status === 'answered');
    if (lines.some(({ line }) => isUndeliveredLine(line))) await context.onUndelivered?.();
    if (lines.length > 0) await ledger.recordLines(lines);
    // After them: they are paid for, and stored even if the disk accepts no event.
    if (lines.some(({ line }) => isSimulatedLine(line))) await context.onSimulated?.();
  }

  /** The end of a call is on disk: its row is retried, or released. */
  function conclude(end: CallEnd): void {
    const id = keys.find(parseCustomId(end.customId)?.key ?? '');
    const entry = held.get(id);
    // A late end of a call that the queue had given up.
    if (entry === undefined) return;
    release(id, entry);
    if (end.status !== 'given-back' && context.isDueAgain(id)) tryAgain(id, entry);
    endsSeen += 1;
    tellChange();
  }

  function tryAgain(id: number, { request, failures, ...sizes }: Held): void {
    if (request === null || stopping.aborted || fault !== null || !context.isAffordable(request)) {
      hasGivenBack = true;
      return;
    }
    hold(id, { request, ...sizes, failures: failures + 1 });
    const fullMs = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures, 30), LONGEST_PAUSE_MS);
    // Not awaited: the row already has its place in the queue.
    void queue.add({ request, promptTokens: sizes.promptTokens, delayMs: fullMs * (1 - context.random() / 4) });
  }

  function hold(id: number, entry: Held): void {
    held.set(id, entry);
    heldBytes += entry.bodyBytes;
    heldAnswerCaps += entry.answerCaps;
    ledger.markQueued(id, true);
  }

  function release(id: number, entry: Held): void {
    held.delete(id);
    heldBytes -= entry.bodyBytes;
    heldAnswerCaps -= entry.answerCaps;
    ledger.markQueued(id, false);
  }

  function tellChange(): void {
    const told = awaitingChange;
    awaitingChange = [];
    for (const tell of told) tell();
  }

  function throwFault(): void {
    if (fault !== null) throw fault.error;
    stopping.throwIfAborted();
  }

  function stop(): void {
    queue.stop();
    tellChange();
  }

  const nextChange = () => new Promise<void>((resolve) => awaitingChange.push(resolve));
  stopping.addEventListener('abort', stop, { once: true });

  return {
    async resume() {
      if (isAttached) return;
      isAttached = true;
      const queued = ledger.fold.queuedCalls;
      const attached = new Set(await queue.attach(owner));
      for (const customId of attached) {
        const key = parseCustomId(customId)?.key;
        if (key !== undefined) {
          const sizes = { promptTokens: 0, bodyBytes: queued.get(customId)?.bodyBytes ?? 0, answerCaps: countAnswerCaps(customId) };
          hold(keys.add(key), { request: null, ...sizes, failures: 0 });
        }
      }
      const lost = [...queued]
        .filter(([customId]) => !attached.has(customId))
        .map(([customId, { bodyBytes }]) => ({ customId, bodyBytes }));
      if (lost.length > 0) await ledger.append({ type: 'call-unknown', calls: lost, why: 'the queue lost them' });
    },
    async add(request, tokens) {
      throwFault();
      const id = keys.add(request.key);
      if (held.has(id)) return;
      const sizes = { promptTokens: tokens, bodyBytes: Buffer.byteLength(request.body), answerCaps: countAnswerCaps(request.customId) };
      hold(id, { request, ...sizes, failures: 0 });
      await queue.add({ request, promptTokens: tokens, delayMs: 0 });
    },
    flush: async () => throwFault(),
    abandon: async () => stop(),
    async nextEnd() {
      while (endsSeen === endsTold && held.size > 0 && fault === null && !stopping.aborted) await nextChange();
      endsTold = endsSeen;
      throwFault();
    },
    nextChange,
    takeGivenBack() {
      const answer = hasGivenBack;
      hasGivenBack = false;
      return answer;
    },
    async drain() {
      while (held.size > 0 && fault === null) await nextChange();
      await queue.drain();
    },
    get underWay() {
      return held.size === 0 ? [] : [{ rows: held.size }];
    },
    get filling() {
      return { rows: held.size, bytes: heldBytes, answerCaps: heldAnswerCaps };
    },
    get view() {
      return queue.view;
    },
    async holdEnds(isHeld) {
      await queue.holdEnds?.(isHeld);
    },
    async close() {
      stopping.removeEventListener('abort', stop);
      await queue.close();
    },
  };
}

/** By custom id, for those that hold any. */
function readPromptControls(requests: readonly Request[]): PromptControls {
  const found = requests.map(({ customId, body }) => [customId, findControlsOfJson(body)] as const);
  return Object.fromEntries(found.filter(([, controls]) => controls !== ''));
}

/** Items that share a step: those that arrive during a step go into the next one. */
interface CoalescedCalls<T> {
  /** Resolves when the step with these items has succeeded. */
  add(items: readonly T[]): Promise<void>;
}

function createCoalescedCalls<T>(step: (items: readonly T[]) => Promise<void>): CoalescedCalls<T> {
  let waiting: { readonly items: readonly T[]; readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = [];
  const gathering = createGathering();
  let isUnderWay = false;

  async function work(): Promise<void> {
    while (waiting.length > 0) {
      await gathering.gather();
      const group = waiting;
      waiting = [];
      gathering.taken(group.length);
      try {
        await step(group.flatMap(({ items }) => items));
        for (const { resolve } of group) resolve();
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    isUnderWay = false;
  }

  return {
    add(items) {
      return new Promise((resolve, reject) => {
        waiting.push({ items, resolve, reject });
        if (isUnderWay) return;
        isUnderWay = true;
        void work();
      });
    },
  };
}
