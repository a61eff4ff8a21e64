/** The content of an error response besides its status, in the API's own words. */
export interface WireErrorFields {
  readonly message: string;
  readonly type?: string;
  readonly param?: string | null;
  readonly code?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The JSON body of every error answer of the API. */
export interface WireErrorBody {
  readonly error: { readonly message: string; readonly type: string; readonly param: string | null; readonly code: string | null };
}

/** A 4xx or 5xx response. Thrown by any endpoint; the server turns it into status, headers and the JSON error body. */
export class WireError extends Error {
  readonly status: number;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, fields: WireErrorFields) {
    super(fields.message);
    this.name = 'WireError';
    this.status = status;
    this.type = fields.type ?? (status >= 500 ? 'server_error' : 'invalid_request_error');
    this.param = fields.param ?? null;
    this.code = fields.code ?? null;
    this.headers = fields.headers ?? {};
  }

  /** The body as sent and as written into the error file of a batch. */
  get body(): WireErrorBody {
    return { error: { message: this.message, type: this.type, param: this.param, code: this.code } };
  }
}
