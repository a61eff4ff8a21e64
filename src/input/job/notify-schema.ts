import { NOTICE_EVENTS, NOTICE_FORMS } from '../../core/job.ts';

/** The part of a job's schema about notifications. */
export function makeNotifySchema(): object {
  return {
    type: 'object',
    additionalProperties: false,
    description: 'A webhook that is notified about each run and retry.',
    required: ['url_env'],
    properties: {
      url_env: {
        type: 'string',
        minLength: 1,
        description: 'The environment variable with the address of the webhook; the address is a secret and belongs in no file.',
      },
      form: { enum: [...NOTICE_FORMS], description: 'What is posted: a JSON object (default), a message for Slack, or one for ntfy.' },
      on: {
        type: 'array',
        minItems: 1,
        uniqueItems: true,
        items: { enum: [...NOTICE_EVENTS] },
        description: 'Which events are posted. Default: all but done.',
      },
    },
  };
}
