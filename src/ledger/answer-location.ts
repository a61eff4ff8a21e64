/** The location of a key's latest line, by the number of its response file. */
export interface AnswerLocation {
  readonly file: number;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}
