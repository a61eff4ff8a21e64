import type { Ledger } from '../../ledger/ledger.ts';
import type { Provider } from '../../openai/provider.ts';

/** Tells the provider what earlier runs learned of its address, and keeps what this one learns, so that nothing is refused for it twice. */
export function followAddress(
  provider: Provider,
  { ledger, warn }: { readonly ledger: Ledger; readonly warn: (message: string) => void },
): void {
  const { baseUrl, forms } = provider;
  const learned = ledger.fold.learnedForms.get(baseUrl);
  if (learned !== undefined) forms.recall(learned);
  forms.listen(({ name, form, message }) => {
    warn(message);
    // A log that cannot be written ends the run by the next event that matters.
    if (form !== null) ledger.append({ type: 'address-learned', baseUrl, name, form }).catch(() => {});
  });
}
