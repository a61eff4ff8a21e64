import { createWaitTeller, formatWait, type WaitTellerOptions, type WaitTimes } from '../../core/waiting/wait-teller.ts';
import type { ApiError } from '../../openai/api-error.ts';
import { describeContact } from '../../openai/describe-contact.ts';
import type { Bound } from './gcra.ts';

/** Why calls wait: the provider said so, it is unreachable, a limit we keep, or a row's own back-off after a transient fault. */
export type Wait =
  | { readonly type: 'refused' | 'unreached'; readonly milliseconds: number; readonly failure: ApiError | null }
  | { readonly type: 'limit'; readonly milliseconds: number; readonly bound: Exclude<Bound, 'back-off'> }
  | { readonly type: 'fault'; readonly milliseconds: number };

/** Reports what calls wait for. */
export interface WaitNotices {
  /** A wait starts. It is reported if it, or the silence it continues, lasts more than five seconds. */
  begin(wait: Wait): void;
  /** The provider has answered: the wait is over. */
  onAnswer(): void;
  /** The current waits that are not limits of ours: the provider refuses, or is unreachable. */
  readonly current: readonly string[];
}

export interface WaitNoticesOptions extends WaitTellerOptions {
  /** The provider's host. */
  readonly host?: string;
}

export function createWaitNotices({ host = 'the provider', ...options }: WaitNoticesOptions): WaitNotices {
  const teller = createWaitTeller(options);
  return {
    begin(wait) {
      // A provider that refuses is reachable.
      if (wait.type === 'refused') teller.end('unreached');
      teller.begin({
        name: wait.type === 'limit' ? wait.bound : wait.type,
        milliseconds: wait.milliseconds,
        askedMs: wait.type === 'refused' ? (wait.failure?.askedMs ?? 0) : 0,
        // A permanent limit of the account is reported once; back-offs of rows are unrelated to earlier ones.
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
