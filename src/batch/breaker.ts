import { AppError, EXIT } from '../core/errors.ts';

/** This many batch files in a row, each refused to its last row, mean that the job is at fault and not its rows. */
const MAX_REFUSED_SHARDS = 3;

/** Stops a run in which every shard is refused, before row after row is lost because of an error in the job. */
export interface ShardBreaker {
  sawPass(): void;
  /** @throws AppError exit 5 after three in a row */
  sawWholeRefusal(code: string, message: string): void;
}

export function createShardBreaker(): ShardBreaker {
  let refusedShards = 0;
  return {
    sawPass() {
      refusedShards = 0;
    },
    sawWholeRefusal(code, message) {
      refusedShards += 1;
      if (refusedShards < MAX_REFUSED_SHARDS) return;
      throw new AppError(
        `stopped: ${refusedShards} batch files in a row were refused whole: ${code}: ${message}; change the job, then run it again`,
        {
          code: 'circuit_breaker',
          exitCode: EXIT.stopped,
        },
      );
    },
  };
}
