import { AppError, EXIT, type ExitCode } from '../core/errors.ts';
import type { Refusal } from './refusal.ts';

/**
 * What a failed call means for the cost (reliability: "One classifier for every POST").
 * `not-sent`: never left. `permanent`: answered, and will not change. `wait`: too fast or full, nothing was used. `again`: a transient fault, answered.
 * `stop`: no call can succeed now. `unknown`: it may have been processed.
 */
export type FailureKind = 'not-sent' | 'permanent' | 'wait' | 'again' | 'stop' | 'unknown';

/** A failed call. The message never contains a key, a header or a body. */
export class ApiError extends AppError {
  readonly kind: FailureKind;
  readonly status: number | null;
  /** How long to wait before the next try, in milliseconds, capped at `MAX_RETRY_AFTER_MS`; null if the provider gives nothing usable. */
  readonly retryAfterMs: number | null;
  /** How long the provider asks to wait, uncapped: it may be a day. */
  readonly askedMs: number | null;
  readonly requestId: string | null;
  /** The provider's message; null if it did not answer. */
  readonly refusal: Refusal | null;

  constructor(
    message: string,
    options: {
      kind: FailureKind;
      code: string;
      status?: number | null;
      retryAfterMs?: number | null;
      askedMs?: number | null;
      requestId?: string | null;
      refusal?: Refusal | null;
      exitCode?: ExitCode;
    },
  ) {
    super(message, { code: options.code, exitCode: options.exitCode ?? EXIT.stopped });
    this.name = 'ApiError';
    this.kind = options.kind;
    this.status = options.status ?? null;
    this.retryAfterMs = options.retryAfterMs ?? null;
    this.askedMs = options.askedMs ?? null;
    this.requestId = options.requestId ?? null;
    this.refusal = options.refusal ?? null;
  }
}
