// Announces events as fast as it can, saying each number once its event is durable, until it is killed.
// Usage: node ledger-appender.js <state directory>

import { readOwnIdentity } from '../../src/ledger/disk/process-identity.ts';
import { openLedger } from '../../src/ledger/open-ledger.ts';
import { makeLedgerOptions } from './ledger-world.ts';

const ledger = await openLedger(makeLedgerOptions(process.argv[2] as string, { processIdentity: readOwnIdentity() }));
for (let next = ledger.fold.learnedLimits.size; ; ) {
  const group = Array.from({ length: 5 }, () => {
    const number = ++next;
    return ledger
      .append({ type: 'limit-learned', model: `m${number}`, enqueuedTokens: number })
      .then(() => process.stdout.write(`${number}\n`));
  });
  await Promise.all(group);
}
