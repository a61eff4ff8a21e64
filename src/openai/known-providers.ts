import { FIRST_FORMS, type Forms } from './forms.ts';

/** A hosted provider whose address and differences are known in advance; every other address is learned. */
export interface KnownProvider {
  readonly name: string;
  /** Its hosts. */
  readonly hosts: RegExp;
  /** The path of its API. */
  readonly path: string;
  /** The forms it wants. */
  readonly forms: Forms;
  /** The upload path for files, below the base URL. */
  readonly uploadPath: string;
  /** Whether `insufficient_quota` there also means that calls are too fast: no reason to stop. */
  readonly quotaMayBeRate: boolean;
}

/**
 * From the providers' documents: Azure how-to/batch.md of 2025-08-13, Groq's API description of 2026-08-18, DashScope's batch page of
 * 2026-03-31 and its list of error codes, Mistral's openapi.yaml of 2026-08-21, Together's of 2026-04-28, OpenRouter's quickstart of 2026.
 */
const KNOWN: readonly KnownProvider[] = [
  provider('OpenAI', /^([a-z]+\.)?api\.openai\.com$/),
  provider('Azure OpenAI', /\.(openai\.azure|services\.ai\.azure|cognitiveservices\.azure)\.com$/, { path: '/openai/v1' }),
  provider('Groq', /^api\.groq\.com$/, { path: '/openai/v1' }),
  provider('DashScope', /^(batch\.)?dashscope(-[a-z]+)?\.aliyuncs\.com$|\.maas\.aliyuncs\.com$/, {
    path: '/compatible-mode/v1',
    forms: { cap: 'max_tokens' },
    quotaMayBeRate: true,
  }),
  provider('Mistral', /^api\.mistral\.ai$/, { forms: { cap: 'max_tokens' } }),
  provider('Together', /^api\.together\.(ai|xyz)$/, {
    forms: { cap: 'max_tokens', purpose: 'batch-api', metadata: 'left out', expiry: 'left out' },
    uploadPath: '/files/upload',
  }),
  provider('OpenRouter', /^openrouter\.ai$/, { path: '/api/v1' }),
];

const UNKNOWN = provider('', /^$/);

/** What is known about an address before anything is sent there. */
export function findKnownProvider(baseUrl: string): KnownProvider {
  const { hostname } = new URL(baseUrl);
  return KNOWN.find(({ hosts }) => hosts.test(hostname)) ?? UNKNOWN;
}

function provider(
  name: string,
  hosts: RegExp,
  { forms = {}, ...others }: Partial<Omit<KnownProvider, 'forms'>> & { readonly forms?: Partial<Forms> } = {},
): KnownProvider {
  return { name, hosts, path: '/v1', uploadPath: '/files', quotaMayBeRate: false, ...others, forms: { ...FIRST_FORMS, ...forms } };
}
