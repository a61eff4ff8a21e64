import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { AppError } from '../../src/core/errors.ts';
import { makeKey, type Request } from '../../src/core/request.ts';
import type { StartTimer } from '../../src/core/timer.ts';
import { startTimer } from '../../src/host/real-effects.ts';
import type { CallEnd, CallOwner, CallQueue, LiveCall } from '../../src/live/queue.ts';
import type { SharedLimits } from '../../src/live/redis/limits.ts';
import { openBullmqQueue } from '../../src/live/runner/queue.ts';
import type { WindowLimits } from '../../src/live/runner/window.ts';
import type { WorkerProcessOptions } from './redis-worker-process.ts';

/** One call of a test; equal numbers are equal requests. */
export function makeCall(number: number, delayMs = 0): LiveCall {
  const url = '/v1/chat/completions';
  const body = JSON.stringify({ model: 'test-model', messages: [{ role: 'user', content: `row ${number}` }], max_completion_tokens: 20 });
  const key = makeKey(url, body);
  const request: Request = { key, customId: key, url, body };
  return { request, promptTokens: 10, delayMs };
}

/** Adds so many calls to a queue. @returns the calls */
export async function addCalls(queue: CallQueue, count: number): Promise<readonly LiveCall[]> {
  const calls = Array.from({ length: count }, (_, number) => makeCall(number));
  for (const call of calls) await queue.add(call);
  return calls;
}

/** The books of a test: what was announced, and every end in the order in which it was recorded. */
export class TestBooks implements CallOwner {
  readonly announced: string[] = [];
  readonly ends: CallEnd[] = [];
  readonly halts: AppError[] = [];
  /** Told about each end; `redo` adds a call again, as the lane does after an unknown one. */
  onEnd: (end: CallEnd) => void = () => {};

  async announce(calls: readonly LiveCall[]): Promise<void> {
    this.announced.push(...calls.map((call) => call.request.customId));
  }

  async record(ends: readonly CallEnd[]): Promise<void> {
    this.ends.push(...ends);
    for (const end of ends) this.onEnd(end);
  }

  halt(error: AppError): void {
    this.halts.push(error);
  }

  of(status: CallEnd['status']): readonly string[] {
    return this.ends.filter((end) => end.status === status).map((end) => end.customId);
  }
}

/** A worker's silence that a machine with other things to do does not reach. */
export const NOBODY_DIES_MS = 20_000;

let states = 0;

/** A queue over Redis for a state of its own. */
export function openTestQueue(
  redisUrl: string,
  options: {
    state?: string;
    keyFingerprint: string;
    secret?: string | null;
    window?: WindowLimits;
    limits?: SharedLimits;
    warn?: (message: string) => void;
    workerSilenceMs?: number;
    startTimer?: StartTimer;
    ending?: AbortSignal;
  },
): Promise<CallQueue> {
  return openBullmqQueue({
    redisUrl,
    state: options.state ?? makeState(),
    identity: { model: 'test-model', keyFingerprint: options.keyFingerprint, baseUrl: 'http://test' },
    limits: options.limits ?? { requestsPerMinute: null, tokensPerMinute: null },
    secret: options.secret ?? null,
    clock: () => new Date(),
    random: Math.random,
    sleep: async (milliseconds, signal) => sleep(milliseconds, undefined, { signal }),
    startTimer: options.startTimer ?? startTimer,
    warn: options.warn ?? (() => {}),
    ending: options.ending ?? new AbortController().signal,
    ...(options.window === undefined ? {} : { window: options.window }),
    workerSilenceMs: options.workerSilenceMs ?? NOBODY_DIES_MS,
  });
}

/** Different for every test, over processes sharing one Redis too. */
export function makeState(): string {
  states += 1;
  return `s${process.pid}x${states}x${Date.now().toString(36)}`;
}

/** A worker in a process of its own, which may be killed. */
export function startWorkerProcess(options: WorkerProcessOptions): ChildProcess {
  const program = fileURLToPath(new URL('./redis-worker-process.js', import.meta.url));
  return spawn(process.execPath, [program, JSON.stringify(options)], { stdio: ['ignore', 'ignore', 'inherit'] });
}

export async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}
