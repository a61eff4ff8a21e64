import { getSystemErrorMap } from 'node:util';
import type { Operation } from './patch-fs.ts';
import type { OperationKind } from './plan.ts';

/** What each error is known from. A process without descriptors can do everything but open. */
export const REFUSED: Readonly<Record<string, readonly OperationKind[]>> = {
  ENOSPC: ['open', 'write', 'sync', 'rename', 'link', 'mkdir'],
  EDQUOT: ['open', 'write', 'sync', 'rename', 'link', 'mkdir'],
  EIO: ['write', 'sync', 'truncate', 'rename'],
  EMFILE: ['open', 'read'],
  EACCES: ['open', 'rename', 'link', 'mkdir'],
  EROFS: ['open', 'rename', 'link', 'mkdir'],
  ENAMETOOLONG: ['open', 'rename', 'link', 'mkdir'],
};
/** The system names no path of an operation on a descriptor. */
const BY_DESCRIPTOR: ReadonlySet<OperationKind> = new Set(['write', 'sync', 'truncate']);

/** As the system's own. @param code for example `ENOSPC` */
export function makeRefusal(code: string, { kind, path, syscall }: Operation): Error {
  const [errno = 0, [, text]] = [...getSystemErrorMap()].find(([, [name]]) => name === code) ?? [0, [code, code]];
  const hasPath = !BY_DESCRIPTOR.has(kind);
  const message = `${code}: ${text}, ${syscall}${hasPath ? ` '${path}'` : ''}`;
  return Object.assign(new Error(message), { code, errno, syscall, ...(hasPath ? { path } : {}) });
}
