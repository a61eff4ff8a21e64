/** What a word can indicate about a text. The first line are subjects, the second sentiments, the third modifiers of other words. */
export const SENSES = [
  ...(['money', 'defect', 'wish', 'question', 'praise', 'delivery', 'return', 'account', 'security', 'urgent', 'task'] as const),
  ...(['meeting', 'legal', 'spam', 'health', 'sport', 'politics', 'science', 'culture'] as const),
  ...(['great', 'good', 'fair', 'bad', 'awful'] as const),
  ...(['not', 'but', 'very', 'slightly'] as const),
] as const;

export type Sense = (typeof SENSES)[number];

/**
 * The words of one language by meaning, separated by spaces. `crash*` is any word with that prefix, `-rechnung` any with that suffix,
 * `let_us` is a phrase of two words. Chinese and Japanese words are found wherever they occur.
 */
export type WordList = Readonly<Partial<Record<Sense, string>>>;
