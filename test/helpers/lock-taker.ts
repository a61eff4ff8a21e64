// Says `ready`, waits for a file `go`, tries to take the lock, says `won` or `held`, and keeps a lock it won until its standard input ends.
// Usage: node lock-taker.js <directory of the lock> <path of the file go>
import fs from 'node:fs';
import { waitSilently } from '../../src/ledger/disk/holder-watch.ts';
import { type Lock, takeLock } from '../../src/ledger/disk/lock.ts';
import { readOwnIdentity } from '../../src/ledger/disk/process-identity.ts';
import { LockHeldError } from '../../src/ledger/errors.ts';

const [directory, go] = process.argv.slice(2) as [string, string];
let ids = 0;

console.log('ready');
const oneMillisecond = new Int32Array(new SharedArrayBuffer(4));
while (!fs.existsSync(go)) Atomics.wait(oneMillisecond, 0, 0, 1);
let lock: Lock | null = null;
try {
  lock = await takeLock({
    directory,
    job: 'labels',
    identity: readOwnIdentity(),
    waiting: waitSilently(new AbortController().signal),
    clock: () => new Date(),
    randomId: () => `taker${process.pid}x${ids++}`,
  });
} catch (error) {
  if (!(error instanceof LockHeldError)) throw error;
}
console.log(lock === null ? 'held' : 'won');
process.stdin.on('end', () => lock?.release()).resume();
