/** What a word can tell about a text. The first line are subjects, the second feelings, the third words that change what others say. */
export const SENSES = [
  ...(['money', 'defect', 'wish', 'question', 'praise', 'delivery', 'return', 'account', 'security', 'urgent', 'task'] as const),
  ...(['meeting', 'legal', 'spam', 'health', 'sport', 'politics', 'science', 'culture'] as const),
  ...(['great', 'good', 'fair', 'bad', 'awful'] as const),
  ...(['not', 'but', 'very', 'slightly'] as const),
] as const;

export type Sense = (typeof SENSES)[number];

/**
 * The words of one language by what they tell, divided by spaces. `crash*` is any word that begins so, `-rechnung` any that ends so,
 * `let_us` stands for two words. Chinese and Japanese words are found wherever they occur.
 */
export type WordList = Readonly<Partial<Record<Sense, string>>>;
