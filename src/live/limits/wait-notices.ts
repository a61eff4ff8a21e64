import { createWaitTeller, formatWait, type WaitTellerOptions, type WaitTimes } from '../../core/waiting/wait-teller.ts';
import type { ApiError } from '../../openai/api-error.ts';
import { describeContact } from '../../openai/describe-contact.ts';
import type { Bound } from './gcra.ts';

/** Why calls wait: the provider said so, it cannot be reached, a limit we keep, or a row's own back-off after a passing fault. */
export type Wait =
  | { readonly type: 'refused' | 'unreached'; readonly milliseconds: number; readonly failure: ApiError | null }
  | { readonly type: 'limit'; readonly milliseconds: number; readonly bound: Exclude<Bound, 'back-off'> }
  | { readonly type: 'fault'; readonly milliseconds: number };

/** Says what calls wait for. */
export interface WaitNotices {
  /** A wait begins. It is told when it, or the silence it goes on with, lasts more than five seconds. */
  begin(wait: Wait): void;
  /** The provider has answered: what was waited for is over. */
  onAnswer(): void;
  /** What goes on now and is no limit of ours: the provider refuses, or is out of reach. */
  readonly current: readonly string[];
}

export interface WaitNoticesOptions extends WaitTellerOptions {
  /** Who is called. */
  readonly host?: string;
}

export function createWaitNotices({ host = 'the provider', ...options }: WaitNoticesOptions): WaitNotices {
  const teller = createWaitTeller(options);
  return {
    begin(wait) {
      // Whoever refuses is in reach.
      if (wait.type === 'refused') teller.end('unreached');
      teller.begin({
        name: wait.type === 'limit' ? wait.bound : wait.type,
        milliseconds: wait.milliseconds,
        askedMs: wait.type === 'refused' ? (wait.failure?.askedMs ?? 0) : 0,
        // A limit of the account that is kept all along is said once; back-offs of rows have nothing to do with those before.
        goesOn: wait.type === 'limit' ? 'once' : wait.type === 'fault' ? 'alone' : 'spell',
        describe: (when) => describe(wait, when),
        describeNow:
          (wait.type === 'refused' || wait.type === 'unreached') && wait.failure !== null ? describeNow(host, wait.failure) : null,
      });
    },
    onAnswer() {
      teller.end('refused');
      teller.end('unreached');
    },
    get current() {
      return teller.current;
    },
  };
}

function describeNow(host: string, failure: ApiError) {
  return ({ passedMs }: WaitTimes) => describeContact(host, failure, passedMs);
}

function describe(wait: Wait, when: WaitTimes): string {
  const said = wait.type === 'refused' || wait.type === 'unreached' ? (wait.failure?.message ?? 'too many requests') : '';
  switch (wait.type) {
    case 'refused':
      return `the provider asks to wait ${formatWait(when.leftMs)}, until ${when.until}: ${said}; calls are retried every minute, and nothing is lost if you stop`;
    case 'unreached':
      return `waiting for the provider since ${when.since}: ${said}; retrying for ten minutes`;
    case 'limit':
      return `calls wait for the limit of ${wait.bound} per minute, the next one for ${formatWait(wait.milliseconds)}`;
    case 'fault':
      return `rows that hit a temporary error wait up to ${formatWait(wait.milliseconds)} before they are retried`;
    default:
      return wait satisfies never;
  }
}
