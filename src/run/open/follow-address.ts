import { SIMULATOR } from '../../core/event.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Provider } from '../../openai/provider.ts';

/**
 * Whether a simulator answers there: by the answers of this run, else by the flags and what earlier runs saw. A continued run may
 * have nothing left to send, and workers make calls elsewhere.
 */
export function isSimulatorThere(provider: Pick<Provider, 'baseUrl' | 'isSimulated'>, ledger: Ledger, isAskedFor: boolean): boolean {
  return provider.isSimulated() ?? (isAskedFor || isKnownSimulator(provider, ledger));
}

function isKnownSimulator({ baseUrl }: Pick<Provider, 'baseUrl'>, ledger: Ledger): boolean {
  return ledger.fold.learnedForms.get(baseUrl)?.get(SIMULATOR.name) === SIMULATOR.form;
}

/** Records that one does. */
export async function keepSimulator({ baseUrl }: Pick<Provider, 'baseUrl'>, ledger: Ledger): Promise<void> {
  if (!isKnownSimulator({ baseUrl }, ledger)) await ledger.append({ type: 'address-learned', baseUrl, ...SIMULATOR });
}

/** Tells the provider what earlier runs learned about its address, and records what this one learns, so that nothing is refused for it twice. */
export function followAddress(
  provider: Provider,
  { ledger, warn }: { readonly ledger: Ledger; readonly warn: (message: string) => void },
): void {
  const { baseUrl, forms } = provider;
  const learned = ledger.fold.learnedForms.get(baseUrl);
  if (learned !== undefined) forms.recall(learned);
  forms.listen(({ name, form, message }) => {
    warn(message);
    // A log that cannot be written ends the run at the next event that matters.
    if (form !== null) ledger.append({ type: 'address-learned', baseUrl, name, form }).catch(() => {});
  });
}
