import { EXIT } from '../../core/errors.ts';
import { verifyState } from '../../inspect/verify/verify.ts';
import { escapeLineForTerminal } from '../../output/escape-for-terminal.ts';
import type { JobFlags } from '../flags.ts';
import { makeReadOptions } from '../read-options.ts';
import { createPaint } from '../render/paint.ts';
import { hasColour, print, printJson, say } from '../say.ts';

/** `rowmill verify`: one line per check; exit 1 when one fails. */
export async function verify(jobFile: string, flags: JobFlags): Promise<number> {
  const options = makeReadOptions(jobFile, flags);
  const verification = await verifyState(options);
  if (flags.json === true) printJson(verification);
  else {
    const paint = createPaint(hasColour(process.stdout));
    for (const { name, status, detail } of verification.checks) {
      const word = status === 'failed' ? paint('red', 'FAILED ') : status === 'ok' ? paint('green', 'ok     ') : paint('dim', 'skipped');
      print(`${word}  ${name.padEnd(12)} ${escapeLineForTerminal(detail)}`);
    }
  }
  say(`${verification.ok ? 'Verified' : 'NOT verified'}: ${verification.state}${verification.simulated ? ' (simulated)' : ''}`);
  return verification.ok ? EXIT.done : EXIT.bug;
}
