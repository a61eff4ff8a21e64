import type { ApiError } from '../../openai/api-error.ts';
import type { Bound } from './gcra.ts';

/** Why calls wait: the provider said so, it cannot be reached, a limit we keep, or a row's own back-off after a passing fault. */
export type Wait =
  | { readonly type: 'refused' | 'unreached'; readonly milliseconds: number; readonly failure: ApiError | null }
  | { readonly type: 'limit'; readonly milliseconds: number; readonly bound: Exclude<Bound, 'back-off'> }
  | { readonly type: 'fault'; readonly milliseconds: number };

/** Says what is waited for, so that no wait of more than five seconds is silent. */
export interface WaitNotices {
  /** A wait begins. It is told when it, or the silence it goes on with, lasts more than five seconds. */
  begin(wait: Wait): void;
  /** The provider has answered: what was waited for is over. */
  onAnswer(): void;
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
}

export function createWaitNotices(options: {
  /** For a person; never row text. */
  readonly warn: (message: string) => void;
  readonly clock: () => Date;
  readonly monotonicMs: () => number;
}): WaitNotices {
  const spells = new Map<string, Spell>();

  return {
    begin(wait) {
      const nowMs = options.monotonicMs();
      const endMs = nowMs + wait.milliseconds;
      const name = wait.type === 'limit' ? wait.bound : wait.type;
      // Whoever refuses is in reach.
      if (wait.type === 'refused') spells.delete('unreached');
      const spell = spells.get(name) ?? { sinceMs: nowMs, toldAtMs: null, toldUntilMs: nowMs };
      const asked = wait.type === 'refused' ? (wait.failure?.askedMs ?? 0) : 0;
      const untilMs = Math.max(endMs, nowMs + asked);
      // Back-offs of rows and limits that are kept have nothing to do with those before.
      const sinceMs = wait.type === 'limit' || wait.type === 'fault' ? nowMs : spell.sinceMs;
      const isNews = spell.toldAtMs === null ? endMs - sinceMs > SILENCE_MS : mustTellAgain(wait, spell, nowMs, endMs);
      if (!isNews) return void spells.set(name, spell);
      spells.set(name, { ...spell, toldAtMs: nowMs, toldUntilMs: untilMs });
      const at = (instantMs: number) => formatMinute(new Date(options.clock().getTime() + instantMs - nowMs));
      options.warn(describe(wait, { until: at(untilMs), since: at(spell.sinceMs), untilMs: untilMs - nowMs }));
    },
    onAnswer() {
      spells.delete('refused');
      spells.delete('unreached');
    },
  };
}

/** A limit of the account that is kept all along is said once; anything else once a minute, when what was said does not hold any more. */
function mustTellAgain(wait: Wait, spell: Spell, nowMs: number, endMs: number): boolean {
  if (wait.type === 'limit') return false;
  return endMs > spell.toldUntilMs && nowMs - (spell.toldAtMs ?? 0) >= AGAIN_MS;
}

function describe(wait: Wait, when: { readonly until: string; readonly since: string; readonly untilMs: number }): string {
  const said = wait.type === 'refused' || wait.type === 'unreached' ? (wait.failure?.message ?? 'too many requests') : '';
  switch (wait.type) {
    case 'refused':
      return `the provider asks to wait ${formatWait(when.untilMs)}, until ${when.until}: ${said}; calls are tried again each minute, nothing is lost by stopping`;
    case 'unreached':
      return `waiting for the provider since ${when.since}: ${said}; tried again for ten minutes`;
    case 'limit':
      return `calls wait for the limit of ${wait.bound} per minute, the next one for ${formatWait(wait.milliseconds)}`;
    case 'fault':
      return `rows that met a passing fault wait up to ${formatWait(wait.milliseconds)} before they are asked again`;
    default:
      return wait satisfies never;
  }
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
