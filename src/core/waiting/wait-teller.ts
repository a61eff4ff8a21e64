/** Reports what a run waits for, so that no wait of more than five seconds is silent. */
export interface WaitTeller {
  /** A wait starts or continues. It is reported if it, or the silence it continues, lasts more than five seconds. */
  begin(wait: ToldWait): void;
  /** The event waited for under this name has happened. */
  end(name: string): void;
  /** The current waits, in words. */
  readonly current: readonly string[];
}

export interface ToldWait {
  /** Waits of one name follow each other, and are reported at most once a minute. */
  readonly name: string;
  readonly milliseconds: number;
  /** How long it has lasted already. */
  readonly passedMs?: number;
  /** How long it will last in total; absent: as long as this wait. */
  readonly askedMs?: number;
  /** `spell`: one long wait together with earlier ones of its name. `alone`: unrelated waits. `once`: unrelated, and reported a single time. */
  readonly goesOn?: 'spell' | 'alone' | 'once';
  /** For a person; never row text. */
  readonly describe: (when: WaitTimes) => string;
  /** The same for a screen that is repainted: shorter, with its duration so far. Absent: as reported; null: not shown there. */
  readonly describeNow?: ((when: WaitTimes) => string) | null;
}

/** Instants to the minute. */
export interface WaitTimes {
  readonly since: string;
  readonly until: string;
  readonly leftMs: number;
  /** Since it started. */
  readonly passedMs: number;
}

export interface WaitTellerOptions {
  readonly warn: (message: string) => void;
  readonly clock: () => Date;
  /** Milliseconds that never decrease. */
  readonly monotonicMs: () => number;
}

const SILENCE_MS = 5_000;
/** A continuing wait is reported again after this long. */
const AGAIN_MS = 60_000;

interface Spell {
  readonly sinceMs: number;
  /** Null while nothing was reported. */
  readonly toldAtMs: number | null;
  /** Until when the last report is valid. */
  readonly toldUntilMs: number;
  /** When the latest wait of the name ends, and what it is for; null: not shown. */
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
