import type { NotifySpec } from '../../core/job.ts';
import { quotePath } from '../../core/wording/quote-argument.ts';
import type { Notice } from '../../inspect/notices/make-notices.ts';

/** A notice with what is known at the time of delivery. */
export interface ToldNotice extends Notice {
  readonly job: string;
  readonly at: string;
  /** The command to run; null if none is needed. */
  readonly command: string | null;
  /** Where to type it; null if it is a call in a program. */
  readonly place: CommandPlace | null;
}

/** Where a command is typed: its paths are relative to the folder. */
export interface CommandPlace {
  readonly folder: string;
  readonly host: string;
}

export interface Post {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The body of the post, in the form of the receiver. */
export function renderNotice(notice: ToldNotice, form: NotifySpec['form']): Post {
  const { id, event, job, run, at, sentence, command, place } = notice;
  const typed = command === null || place === null ? command : `cd ${quotePath(place.folder)} && ${command}`;
  const onHost = command === null || place === null ? '' : `on ${place.host}: `;
  switch (form) {
    case 'json':
      return {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          schema: 'rowmill.notice/1',
          id,
          event,
          job,
          run,
          at,
          sentence,
          command,
          folder: place?.folder ?? null,
          host: place?.host ?? null,
        }),
      };
    case 'slack':
      return {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          text: escapeSlack(sentence) + (typed === null ? '' : `\n${escapeSlack(onHost)}\`${escapeSlack(typed.replaceAll('`', "'"))}\``),
        }),
      };
    case 'ntfy':
      return {
        headers: {
          'content-type': 'text/plain; charset=utf-8',
          title: `rowmill: ${job} ${event}`,
          priority: event === 'done' ? 'low' : event === 'shifted' ? 'default' : 'high',
          tags: event === 'done' ? 'white_check_mark' : 'warning',
        },
        body: typed === null ? sentence : `${sentence}\n${onHost}${typed}`,
      };
    default:
      return form satisfies never;
  }
}

/** Slack uses `&`, `<` and `>` as markup (Slack, "Formatting text for app surfaces", seen 2026-11-29). */
function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
