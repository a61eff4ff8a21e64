import { AppError } from '../../core/errors.ts';
import type { Effects } from '../../run/open/effects.ts';
import type { Finding } from './finding.ts';

/** Whether a run could use this Redis: that it answers, keeps what it is given, and allows the commands we need. */
export async function examineRedis(redisUrl: string, { startTimer }: Pick<Effects, 'startTimer'>): Promise<Finding> {
  const { describeUrl, openRedis } = await import('../../live/redis/connection.ts');
  try {
    const redis = await openRedis(redisUrl, startTimer);
    redis.disconnect();
    return { name: 'redis', status: 'ok', message: `${describeUrl(redisUrl)} can be used` };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { name: 'redis', status: 'problem', message: error.message };
  }
}
