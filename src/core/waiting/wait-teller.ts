/** Says what is waited for, so that no wait of more than five seconds is silent. */
export interface WaitTeller {
  /** A wait begins, or goes on. It is told when it, or the silence it goes on with, lasts more than five seconds. */
  begin(wait: ToldWait): void;
  /** What was waited for under this name has happened. */
  end(name: string): void;
  /** What goes on now, in words: the waits that have not come to their end. */
  readonly current: readonly string[];
}

export interface ToldWait {
  /** Waits of one name follow each other, and are told once a minute at most. */
  readonly name: string;
  readonly milliseconds: number;
  /** How long it has gone on already. */
  readonly passedMs?: number;
  /** How long it is to be all in all; absent: as long as this wait. */
  readonly askedMs?: number;
  /** `spell`: one long wait with those of its name before it. `alone`: they have nothing to do with each other. `once`: neither, and told a single time. */
  readonly goesOn?: 'spell' | 'alone' | 'once';
  /** For a person; never row text. */
  readonly describe: (when: WaitTimes) => string;
  /** The same for a screen that is painted again and again: shorter, with how long it has lasted. Absent: as it is told; null: not shown there. */
  readonly describeNow?: ((when: WaitTimes) => string) | null;
}

/** Instants to the minute. */
export interface WaitTimes {
  readonly since: string;
  readonly until: string;
  readonly leftMs: number;
  /** Since it began. */
  readonly passedMs: number;
}

export interface WaitTellerOptions {
  readonly warn: (message: string) => void;
  readonly clock: () => Date;
  /** Milliseconds that never go back. */
  readonly monotonicMs: () => number;
}

const SILENCE_MS = 5_000;
/** What goes on is told again after this long. */
const AGAIN_MS = 60_000;

interface Spell {
  readonly sinceMs: number;
  /** Null while nothing was told. */
  readonly toldAtMs: number | null;
  /** Until when what was told holds. */
  readonly toldUntilMs: number;
  /** When the latest wait of the name ends, and what it is for; null: not to be shown. */
  readonly endMs: number;
  readonly describeNow: (() => string) | null;
}

export function createWaitTeller({ warn, clock, monotonicMs }: WaitTellerOptions): WaitTeller {
  const spells = new Map<string, Spell>();
  return {
    begin({ name, milliseconds, passedMs = 0, askedMs = 0, goesOn = 'spell', describe, describeNow = describe }) {
      const nowMs = monotonicMs();
      const endMs = nowMs + milliseconds;
      const before = spells.get(name);
      const sinceMs = before !== undefined && goesOn !== 'alone' ? before.sinceMs : nowMs - passedMs;
      const silentSinceMs = goesOn === 'once' ? nowMs : sinceMs;
      const { toldAtMs = null, toldUntilMs = nowMs } = before ?? {};
      const untilMs = Math.max(endMs, nowMs + askedMs);
      const at = (instantMs: number) => formatMinute(new Date(clock().getTime() + instantMs - monotonicMs()));
      const readTimes = () => ({
        since: at(sinceMs),
        until: at(untilMs),
        leftMs: untilMs - monotonicMs(),
        passedMs: monotonicMs() - sinceMs,
      });
      const isAgain = goesOn !== 'once' && toldAtMs !== null && endMs > toldUntilMs && nowMs - toldAtMs >= AGAIN_MS;
      const isNews = toldAtMs === null ? endMs - silentSinceMs > SILENCE_MS : isAgain;
      const told = isNews ? { toldAtMs: nowMs, toldUntilMs: untilMs } : { toldAtMs, toldUntilMs };
      spells.set(name, { sinceMs, ...told, endMs, describeNow: describeNow === null ? null : () => describeNow(readTimes()) });
      if (isNews) warn(describe(readTimes()));
    },
    end: (name) => void spells.delete(name),
    get current() {
      const nowMs = monotonicMs();
      return [...spells.values()].flatMap(({ endMs, describeNow }) => (endMs > nowMs && describeNow !== null ? [describeNow()] : []));
    },
  };
}

/** To the minute, as the report writes instants. */
function formatMinute(date: Date): string {
  const at = date.toISOString();
  return `${at.slice(0, 10)} ${at.slice(11, 16)} UTC`;
}

export function formatWait(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h${minutes % 60 === 0 ? '' : ` ${minutes % 60} min`}`;
}
