import { AppError, EXIT } from '../core/errors.ts';
import { formatCount } from '../core/wording/format-count.ts';
import { sleepUntil } from './backoff.ts';
import type { BatchContext } from './context.ts';
import type { Admission } from './queue/admission.ts';
import type { EnqueuedLimit, Rejection } from './rejection.ts';
import type { ShardLifecycleOptions } from './shard-lifecycle-options.ts';

/** What follows a rejection: the same file once more, a new upload of it, or its rows are free to be cut again. */
export type RejectionHandled = 'again' | 'upload' | 'retired';

/** Pauses while the provider does not see our file yet; then it is uploaded again. */
const FILE_PAUSES_MS = [5_000, 15_000, 45_000];
const MAX_FILE_UPLOADS = 3;
/** Pauses while the provider's queue is full and nothing of ours drains: 5, 10, 20, 40 times the longest poll. */
const QUEUE_PAUSE_POLLS = [5, 10, 20, 40];

/** Makes the handler for the rejections of one shard; it remembers how often it has waited. */
export function createRejectionHandler(
  context: BatchContext,
  options: ShardLifecycleOptions,
): (rejection: Rejection) => Promise<RejectionHandled> {
  const { admission, breaker, cutSize, requestAdmission, shard } = options;
  let queuePauses = 0;
  let filePauses = 0;
  let uploads = 1;

  async function retire(why: string): Promise<'retired'> {
    await context.ledger.append({ type: 'shard-retired', shard: shard.id, why });
    return 'retired';
  }

  async function learnLimit({ limitTokens, limitRequests }: EnqueuedLimit): Promise<void> {
    const { model } = shard;
    if (limitTokens !== null && limitTokens !== admission.limit) {
      await context.ledger.append({ type: 'limit-learned', model, enqueuedTokens: limitTokens });
      admission.limit = limitTokens;
      cutSize.fitLimit(limitTokens);
      context.warn(`${model}: the account holds ${formatCount(limitTokens)} enqueued tokens; batch files are cut to fit`);
    }
    if (limitRequests !== null && limitRequests !== requestAdmission.limit) {
      await context.ledger.append({ type: 'request-limit-learned', model, enqueuedRequests: limitRequests });
      requestAdmission.limit = limitRequests;
      cutSize.fitRequestLimit(limitRequests);
      context.warn(`${model}: the account holds ${limitRequests} enqueued requests; batch files are cut to fit`);
    }
  }

  async function waitForRoom(limit: EnqueuedLimit): Promise<RejectionHandled> {
    await learnLimit(limit);
    if (shard.rows > 1 && isOver(shard.tokens, admission)) return retire('larger than the enqueued-token limit');
    if (shard.rows > 1 && isOver(shard.rows, requestAdmission)) return retire('larger than the limit of enqueued requests');
    const isAlone = admission.used === 0;
    if (isAlone && queuePauses > 0 && cutSize.shrinkTokens(shard)) return retire('refused although nothing else of ours is enqueued');
    options.onPhase('waiting');
    const pauseMs = (QUEUE_PAUSE_POLLS[Math.min(queuePauses, QUEUE_PAUSE_POLLS.length - 1)] as number) * context.settings.pollMaxMs;
    queuePauses += 1;
    context.waits.begin({
      name: `room ${shard.id}`,
      milliseconds: pauseMs,
      describe: ({ since }) =>
        `waiting since ${since}: the provider's queue is full; batch file ${shard.id} is sent again when it has room`,
    });
    await sleepUntil(context, pauseMs, admission.nextLeave());
    return 'again';
  }

  async function waitForFile(message: string): Promise<RejectionHandled> {
    const pauseMs = FILE_PAUSES_MS[filePauses];
    filePauses += 1;
    if (pauseMs !== undefined) {
      const milliseconds = Math.min(pauseMs, context.settings.pollMaxMs);
      context.waits.begin({
        name: `file ${shard.id}`,
        milliseconds,
        describe: ({ since }) => `waiting since ${since}: the provider does not find batch file ${shard.id} yet (${message})`,
      });
      await context.sleep(milliseconds, context.stopping);
      return 'again';
    }
    if (uploads >= MAX_FILE_UPLOADS) {
      throw new AppError(
        `the provider does not find batch file ${shard.id} after ${uploads} uploads: ${message}; run the same command later`,
        {
          code: 'file_not_found',
          exitCode: EXIT.notFinished,
        },
      );
    }
    uploads += 1;
    filePauses = 0;
    return 'upload';
  }

  return async (rejection) => {
    switch (rejection.type) {
      case 'queue-full':
        return waitForRoom(rejection);
      case 'file-not-found':
        return waitForFile(rejection.message);
      case 'too-large':
        cutSize.shrinkBytes(shard);
        return retire('larger than the provider takes');
      case 'account-refused':
        throw new AppError(
          `the account has no money or quota left: ${rejection.code}: ${rejection.message}; no row is at fault, they stay pending`,
          { code: rejection.code, exitCode: EXIT.stopped },
        );
      case 'job-refused':
        throw new AppError(`the provider refuses this job: ${rejection.code}: ${rejection.message}`, {
          code: rejection.code,
          exitCode: EXIT.refused,
        });
      case 'rows': {
        const [first] = rejection.rejected;
        cutSize.sawCollected(rejection.rejected.length);
        if (first !== undefined && rejection.rejected.length === shard.rows) breaker.sawWholeRefusal(first.code, first.message);
        return retire(`${rejection.rejected.length} of its rows were refused`);
      }
      case 'undelivered':
        return retire('batches do not take prompt_cache_options');
      case 'unplaced':
        context.warn(
          `batch file ${shard.id} was refused and no row named (${rejection.code}: ${rejection.message}); it is cut in halves to find the row`,
        );
        cutSize.shrinkRequests(shard);
        return retire(`refused without a line: ${rejection.code}`);
      default:
        return rejection satisfies never;
    }
  };
}

/** Whether a shard alone exceeds the queue. */
export function isOver(size: number, { limit }: Pick<Admission, 'limit'>): boolean {
  return limit !== null && size > limit;
}
