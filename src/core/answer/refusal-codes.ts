/**
 * Codes and types of errors that mean the account has no money left: the run stops, the row does not fail. OpenAI's, DashScope's (`Arrearage`),
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

/** Codes and types that say of the model that it is not there, or not for this key: OpenAI's, Azure's, Groq's, DashScope's, Mistral's. */
const MODEL_WORDS = new RegExp(
  [
    'model_?not_?(found|available|supported)|(unknown|invalid|unsupported)_model',
    'model_?(decommissioned|deprecated|retired|gone)|model\\.?access_?denied|deployment_?not_?found',
  ]
    .map((words) => `^(${words})$`)
    .join('|'),
  'i',
);

/** Whether a code says that the model is refused. */
export function isModelCode(code: string | null): boolean {
  return code !== null && MODEL_WORDS.test(code);
}
