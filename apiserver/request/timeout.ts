// The `timeout` query parameter, a duration in Go's notation (`30s`, `1m30s`). A malformed one refuses the request.
import { ApiError } from "../../api/errors.ts";

const duration = /^[+-]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;

interface Requested {
  readonly verb: string;
  readonly subresource?: string;
}

/** Watches and streams last as long as their client stays; their `timeout` is not looked at. */
const streamed = new Set(["exec", "attach", "portforward", "log", "proxy"]);
const isLongRunning = ({ verb, subresource = "" }: Requested): boolean =>
  verb === "watch" || verb === "proxy" || streamed.has(subresource);

/** What is wrong with the timeout of a request, in the words of Kubernetes' request deadline filter. */
export function timeoutError(query: URLSearchParams, attributes: Requested): ApiError | undefined {
  const text = query.get("timeout") ?? "";
  if (text === "" || isLongRunning(attributes) || duration.test(text)) return undefined;
  const quoted = JSON.stringify(text);
  const detail = /^[+-]?(?:\d+\.?\d*|\.\d+)$/.test(text)
    ? `missing unit in duration ${quoted}`
    : `invalid duration ${quoted}`;
  return new ApiError("BadRequest", `invalid timeout specified in the request URL - time: ${detail}`);
}
