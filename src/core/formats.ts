import { AppError, EXIT } from './errors.ts';
import { VERSION } from './version.ts';

/**
 * The newest format this version reads, and the one it writes, of everything it shares with other versions: the state directory, the files a
 * run keeps in it, and what runs and workers tell each other over Redis. A number is raised when an older version would misread what is
 * written; what has no number is of format 1.
 */
export const FORMATS = { state: 1, summary: 1, redis: 2 } as const;

const NAMELESS = 'a newer rowmill';

/** What something says of the version that wrote it, believed or not. */
export interface Written {
  /** Unknown where it says none, or nonsense. */
  readonly format: unknown;
  readonly version: unknown;
}

/** A newer version wrote this, in a format unknown here. Exit 1; nothing was changed and nothing sent. */
export class NewerFormatError extends AppError {
  constructor(message: string) {
    super(message, { code: 'newer_format', exitCode: EXIT.bug });
    this.name = 'NewerFormatError';
  }
}

/**
 * The sentence that refuses what a newer version wrote; null when it can be read.
 * @param what begins the sentence: `the state directory /a/b was written`
 */
export function refuseNewer(kind: keyof typeof FORMATS, what: string, { format, version }: Written): string | null {
  if (typeof format !== 'number' || !(format > FORMATS[kind])) return null;
  // It may come from anybody who can write to Redis.
  const writer = typeof version === 'string' && /^[\w.+-]{1,40}$/.test(version) ? `rowmill ${version}` : NAMELESS;
  const noun = kind === 'redis' ? 'Redis protocol' : 'format';
  const remedy = writer === NAMELESS ? writer : `${writer} or newer`;
  return `${what} by ${writer} with ${noun} ${format}, but this is rowmill ${VERSION}, which knows ${noun} ${FORMATS[kind]}: use ${remedy}`;
}
