import type { Redis } from 'ioredis';
import { AppError, EXIT } from '../../core/errors.ts';
import { describeReply, describeUrl, reasonOf } from './connection.ts';
import { type ErrorReply, readErrorReply } from './error-reply.ts';
import { createRepeatGate } from './repeat-gate.ts';

/** A connection that comes back within this time is not worth a message. */
const SHORT_ABSENCE_MS = 2_000;
/** A Redis that answered with an error and then closes the connection is still the one that answered. */
const REMEMBERED_MS = 10_000;
/** How long a run waits for Redis to do what it is asked. */
const RUN_PATIENCE_MS = 600_000;

export interface RedisWatchOptions {
  readonly redis: Redis;
  readonly redisUrl: string;
  readonly nowMs: () => number;
  /** For a person: one sentence, at most once a minute for the same problem. */
  readonly tell: (message: string) => void;
  /** Added to the sentence that ends the work: what happens to it. */
  readonly afterwards: string;
}

/** Judges problems with Redis during work: what may pass is reported and waited for, anything else ends the work. */
export class RedisWatch {
  readonly nowMs: () => number;
  readonly #redisUrl: string;
  readonly #tell: (message: string) => void;
  readonly #afterwards: string;
  /** What prevents the connection. */
  #connectionError: unknown = null;
  #lastReply: { readonly reply: ErrorReply; readonly atMs: number } | null = null;
  readonly #isDue: (kind: string) => boolean;

  constructor({ redis, redisUrl, nowMs, tell, afterwards }: RedisWatchOptions) {
    this.#afterwards = afterwards;
    this.nowMs = nowMs;
    this.#redisUrl = redisUrl;
    this.#tell = tell;
    this.#isDue = createRepeatGate(nowMs);
    redis.on('error', (error) => {
      this.#connectionError = error;
    });
    redis.on('ready', () => {
      this.#connectionError = null;
    });
  }

  /** A step of something that continues by itself failed. @returns why waiting does not help; null for what may pass, which is reported */
  onFailure(error: unknown, absentMs = Number.POSITIVE_INFINITY): AppError | null {
    const reply = this.readReply(error);
    if (reply?.mayPass === false) return this.#stop(describeReply(reply, this.#redisUrl), error);
    if (reply !== null) {
      if (this.#isDue(reply.word)) this.#tell(`${describeReply(reply, this.#redisUrl)}; waiting until that has passed, nothing is lost`);
    } else if (absentMs >= SHORT_ABSENCE_MS && this.#isDue('absent')) {
      const reason = reasonOf(this.#connectionError ?? error);
      this.#tell(`Redis at ${describeUrl(this.#redisUrl)} cannot be reached (${reason}); waiting for it, nothing is lost`);
    }
    return null;
  }

  /** A run's step has failed for so long that the run ends. */
  onLongFailure(error: unknown): AppError {
    const reply = this.readReply(error);
    if (reply !== null) return this.#stop(`${describeReply(reply, this.#redisUrl)}; this has lasted for ten minutes`, error);
    const message = 'Redis could not be reached for ten minutes; nothing is lost: start it and run the same command again';
    return new AppError(message, { code: 'redis', exitCode: EXIT.notFinished, cause: error });
  }

  /** Whether waiting does not help: Redis answers with an error that does not pass. */
  isLasting(error: unknown): boolean {
    return this.readReply(error)?.mayPass === false;
  }

  /** A reply of Redis, to a command or to a connection attempt. */
  readReply(error: unknown): ErrorReply | null {
    const reply = readErrorReply(error) ?? readErrorReply(this.#connectionError);
    if (reply !== null) this.#lastReply = { reply, atMs: this.nowMs() };
    const last = this.#lastReply;
    return last !== null && this.nowMs() - last.atMs < REMEMBERED_MS ? last.reply : null;
  }

  #stop(message: string, cause: unknown): AppError {
    return new AppError(`${message}; ${this.#afterwards}`, { code: 'redis', exitCode: EXIT.stopped, cause });
  }
}

/** How a run waits for one step that it repeats until Redis does it. */
export class RedisPatience {
  readonly #watch: RedisWatch;
  #failingSinceMs: number | null = null;

  constructor(watch: RedisWatch) {
    this.#watch = watch;
  }

  onAnswer(): void {
    this.#failingSinceMs = null;
  }

  /** @returns why it gives up; null while it waits */
  onFailure(error: unknown): AppError | null {
    const nowMs = this.#watch.nowMs();
    this.#failingSinceMs ??= nowMs;
    const failingMs = nowMs - this.#failingSinceMs;
    if (failingMs >= RUN_PATIENCE_MS) return this.#watch.onLongFailure(error);
    return this.#watch.onFailure(error, failingMs);
  }
}
