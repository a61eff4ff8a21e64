import { WireError } from '../wire-error.ts';

const QUOTA = 'You exceeded your current quota, please check your plan and billing details.';

/** The API's well-known error answers, for `do: {"error": NAME}`; texts as seen until 2026-11. */
export const NAMED_ERRORS: Readonly<Record<string, WireError>> = {
  insufficient_quota: new WireError(429, { message: QUOTA, type: 'insufficient_quota', code: 'insufficient_quota' }),
  billing_hard_limit_reached: new WireError(400, { message: 'Billing hard limit has been reached', code: 'billing_hard_limit_reached' }),
  rate_limit_exceeded: new WireError(429, {
    message:
      'Rate limit reached for gpt-4o-mini in organization org-simulated on requests per min (RPM): Limit 500, Used 500, Requested 1. Please try again in 120ms.',
    type: 'requests',
    code: 'rate_limit_exceeded',
  }),
  request_too_large: new WireError(429, {
    message:
      'Request too large for gpt-4o-mini in organization org-simulated on tokens per min (TPM): Limit 30000, Requested 31538. The input or output tokens must be reduced in order to run successfully.',
    type: 'tokens',
    code: 'rate_limit_exceeded',
  }),
  flex_unavailable: new WireError(429, { message: 'Resource Unavailable', type: 'resource_unavailable', code: 'resource_unavailable' }),
  enqueued_limit: new WireError(429, {
    message:
      'Enqueued token limit reached for gpt-4o-mini in organization org-simulated. Limit: 2,000,000 enqueued tokens. Please try again once some in_progress batches have been completed.',
    code: 'token_limit_exceeded',
  }),
  invalid_api_key: new WireError(401, { message: 'Incorrect API key provided.', code: 'invalid_api_key' }),
  permission_denied: new WireError(403, { message: 'You have insufficient permissions for this operation.', code: 'missing_scope' }),
  request_timeout: new WireError(408, { message: 'Request timed out.', type: 'timeout' }),
  conflict: new WireError(409, { message: 'The resource was updated by another request.', code: 'conflict' }),
  server_error: new WireError(500, { message: 'The server had an error while processing your request. Sorry about that!' }),
  overloaded: new WireError(503, { message: 'The engine is currently overloaded, please try again later', type: 'service_unavailable' }),
};
