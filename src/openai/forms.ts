import { type Refusal, refusesMember } from './refusal.ts';

/** The parts of the wire format that servers want in one of two forms, and which form is used. */
export interface Forms {
  /** The name of the output cap in a chat completion. */
  readonly cap: 'max_completion_tokens' | 'max_tokens';
  /** The purpose of an uploaded batch file. */
  readonly purpose: 'batch' | 'batch-api';
  /** The metadata of a batch, and the expiry of its files. */
  readonly metadata: 'sent' | 'left out';
  readonly expiry: 'sent' | 'left out';
}

export type FormName = keyof Forms;

/** OpenAI's own forms. */
export const FIRST_FORMS: Forms = { cap: 'max_completion_tokens', purpose: 'batch', metadata: 'sent', expiry: 'sent' };

const BOTH_FORMS: { readonly [Name in FormName]: readonly [Forms[Name], Forms[Name]] } = {
  cap: ['max_completion_tokens', 'max_tokens'],
  purpose: ['batch', 'batch-api'],
  metadata: ['sent', 'left out'],
  expiry: ['sent', 'left out'],
};

const OTHER_WORDS: Readonly<Record<FormName, string>> = {
  cap: 'calls the output cap',
  purpose: 'takes files with the purpose',
  metadata: 'wants the metadata of batches',
  expiry: 'wants the time files are kept',
};

/** Something learned about an address. */
export interface LearnedForm {
  readonly name: FormName;
  /** Null if it accepts neither: nothing to remember. */
  readonly form: string | null;
  /** For a person: what it wants, and how that was noticed. */
  readonly message: string;
}

/** The forms used for one address, known in advance or learned. They change while calls are in flight. */
export interface AddressForms {
  readonly now: Forms;
  /** Restores what was learned before; unknown forms are ignored. */
  recall(learned: ReadonlyMap<string, string>): void;
  /**
   * An answer showed that this form is wrong. @returns whether to try the other one: not if it was refused before
   * @param how how it was noticed, for a person
   */
  reject<Name extends FormName>(name: Name, form: Forms[Name], how: string): boolean;
  /** An answer arrived with the current forms: earlier rejections are confirmed. */
  confirm(name: FormName): void;
  /** Neither form is accepted; `message` is reported once. */
  giveUp(name: FormName, message: string): void;
  /** Called with each form once, when it is confirmed. One listener; earlier confirmations are reported at once. */
  listen(listener: (learned: LearnedForm) => void): void;
}

export function createAddressForms(first: Forms, host: string): AddressForms {
  let now = first;
  const rejected = new Set<string>();
  const doubted = new Map<FormName, string>();
  const givenUp = new Set<FormName>();
  const untold: LearnedForm[] = [];
  let listener: ((learned: LearnedForm) => void) | null = null;

  function tell(learned: LearnedForm): void {
    if (listener === null) untold.push(learned);
    else listener(learned);
  }

  return {
    get now() {
      return now;
    },
    recall(learned) {
      for (const [name, forms] of Object.entries(BOTH_FORMS) as [FormName, readonly string[]][]) {
        const form = learned.get(name);
        if (form !== undefined && forms.includes(form)) now = { ...now, [name]: form };
      }
    },
    reject(name, form, how) {
      // Calls sent before the form changed are refused for the old one: nothing new.
      if (now[name] !== form) return true;
      const other = BOTH_FORMS[name].find((candidate) => candidate !== form) as Forms[typeof name];
      const isLast = rejected.has(`${name} ${other}`);
      rejected.add(`${name} ${form}`);
      now = { ...now, [name]: isLast ? first[name] : other };
      if (isLast) doubted.delete(name);
      else doubted.set(name, how);
      return !isLast;
    },
    confirm(name) {
      const how = doubted.get(name);
      if (how === undefined) return;
      doubted.delete(name);
      tell({ name, form: now[name], message: `${host} ${OTHER_WORDS[name]} ${now[name]} (${how}); this is remembered` });
    },
    giveUp(name, message) {
      if (!givenUp.has(name)) tell({ name, form: null, message: `${host}: ${message}` });
      givenUp.add(name);
    },
    listen(next) {
      listener = next;
      for (const learned of untold.splice(0)) next(learned);
    },
  };
}

/** Which of the forms a refusal is about; null if it is about something else. */
export function findRefusedForm(refusal: Refusal, sent: readonly FormName[], forms: Forms): FormName | null {
  return sent.find((name) => isRefused(refusal, name, forms)) ?? null;
}

function isRefused(refusal: Refusal, name: FormName, forms: Forms): boolean {
  switch (name) {
    case 'cap':
      return refusesMember(refusal, forms.cap);
    case 'purpose':
      return refusal.param === 'purpose' || /\bpurpose\b/i.test(refusal.message);
    case 'metadata':
      return forms.metadata === 'sent' && refusesMember(refusal, 'metadata');
    case 'expiry':
      return forms.expiry === 'sent' && (refusesMember(refusal, 'expires_after') || refusesMember(refusal, 'output_expires_after'));
    default:
      return name satisfies never;
  }
}
