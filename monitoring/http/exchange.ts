// Requests and replies as far as the monitoring API reads and writes them. The API server's own are assignable.

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer | undefined;
}
export interface HttpReply {
  readonly status: number;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

const json = { "content-type": "application/json" };
export const replyJson = (value: unknown, status = 200): HttpReply => ({
  status,
  body: JSON.stringify(value),
  headers: json,
});

/** An error of Prometheus' API. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly type: ErrorType;

  constructor(type: ErrorType, message: string) {
    super(message);
    this.type = type;
  }
}
export type ErrorType = "bad_data" | "execution" | "not_found" | "internal" | "unavailable";
const statuses: Readonly<Record<ErrorType, number>> = {
  ...{ bad_data: 400, execution: 422, not_found: 404, internal: 500, unavailable: 503 },
};
export const replyFailure = (errorType: ErrorType, error: string): HttpReply =>
  replyJson({ status: "error", errorType, error }, statuses[errorType]);
export const replySuccess = (data: unknown): HttpReply => replyJson({ status: "success", data });
