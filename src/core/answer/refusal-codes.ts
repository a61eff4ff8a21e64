/**
 * Codes and types of errors that mean the account has no credit left: the run stops, the row does not fail. OpenAI's, DashScope's (`Arrearage`),
 * LiteLLM's (`budget_exceeded`) and DeepSeek's kind (fixtures/world/errors.json, seen 2026-11-29).
 */
export const QUOTA_CODES: ReadonlySet<string> = new Set([
  'insufficient_quota',
  'billing_hard_limit_reached',
  'billing_not_active',
  'insufficient_balance',
  'Arrearage',
  'budget_exceeded',
]);

/** Codes and types that mean the model does not exist, or not for this key: OpenAI's, Azure's, Groq's, DashScope's, Mistral's, LiteLLM's. */
const MODEL_WORDS = new RegExp(
  [
    'model_?not_?(found|available|supported)|(unknown|invalid|unsupported)_model',
    'model_?(decommissioned|deprecated|retired|gone)|([a-z]+_)?model[._]?access_?denied|deployment_?not_?found',
    'model_permission_blocked_[a-z]+|model_terms_required',
  ]
    .map((words) => `^(${words})$`)
    .join('|'),
  'i',
);

/** Whether a code means that the model is refused. */
export function isModelCode(code: string | null): boolean {
  return code !== null && MODEL_WORDS.test(code);
}

/** Our code for a refusal of the model whose own code does not say so. */
export const MODEL_REFUSED = 'model_not_found';

/**
 * Wording with this meaning, whatever the status. Only names may stand in between: anything else "not found" may be the row's. DeepSeek ("Model Not
 * Exist"), DashScope, SiliconFlow, xAI, OpenRouter ("… is not a valid model ID"), OpenAI, Bedrock and LiteLLM use it with status 400 (seen 2026-11-29).
 */
const SAYS_NO_MODEL = new RegExp(
  [
    '\\bmodel( \\S{1,200})? ((does|is|was) not |doesn.t |not |can ?not be |could not be )(exist|found)\\b',
    '\\b(invalid|unknown|not a valid) model( id| name| identifier)?\\b(?! ?(param|option|setting|input|output|response|argument|config))',
    '\\bmodel identifier is invalid|\\bllm provider not provided',
  ].join('|'),
  'i',
);
/** Wording with this meaning if the status says that something does not exist: 404 and 410. */
const MODEL_IS_GONE =
  /\bmodels?\b.*\b(does not exist|not found|no access|not available|no longer available|unknown|deprecated|decommissioned|retired)\b|^model: \S+$|^no endpoints found for \S+$/i;

/** The error of a provider for a request it refuses. */
interface SaidOfRequest {
  readonly message: string;
  readonly code: string | null;
  readonly type?: unknown;
  /** The member of the request it refers to. */
  readonly param?: unknown;
}

/** Whether a refusal is about the model, so that no other request of the run can succeed (fixtures/world/errors.json, seen 2026-11). */
export function refusesModel({ message, code, type, param }: SaidOfRequest, status: number | null): boolean {
  if (isModelCode(code) || (typeof type === 'string' && isModelCode(type))) return true;
  if (status === null || ![400, 404, 410, 422].includes(status)) return false;
  if (param === 'model' || saysNoModel(message)) return true;
  return (status === 404 || status === 410) && MODEL_IS_GONE.test(message);
}

/** Whether a message without a code says that the model does not exist. */
export function saysNoModel(message: string): boolean {
  return SAYS_NO_MODEL.test(message);
}
