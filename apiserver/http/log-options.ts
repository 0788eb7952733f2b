// What a query may ask of a log, checked, and as the kubelet is asked for it. Pure.
import { ApiError, type Problem } from "../../api/errors.ts";

/** A number, or the words of whoever failed to read one. */
function whole(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  if (!/^[+-]?\d+$/.test(text))
    throw new ApiError("BadRequest", `strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

/** Everything but "false" and "0" is a yes, even nothing. */
const yes = (query: URLSearchParams, name: string): boolean =>
  query.has(name) && query.get(name) !== "0" && query.get(name)?.toLowerCase() !== "false";

const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
function sinceTimeIn(query: URLSearchParams): string | undefined {
  const text = query.get("sinceTime");
  if (text === null || text === "") return undefined;
  if (time.test(text)) return text;
  const layout = "2006-01-02T15:04:05Z07:00";
  throw new ApiError("BadRequest", `parsing time "${text}" as "${layout}": cannot parse "${text}" as "2006"`);
}

const streams: readonly string[] = ["All", "Stdout", "Stderr"];

interface Numbers {
  readonly tailLines: number | undefined;
  readonly limitBytes: number | undefined;
  readonly sinceSeconds: number | undefined;
  readonly sinceTime: string | undefined;
  readonly stream: string;
}

function flawsOf({ tailLines, limitBytes, sinceSeconds, sinceTime, stream }: Numbers): readonly Problem[] {
  const invalid = (path: string, value: number, must: string): Problem => ({
    path,
    message: `Invalid value: ${value}: must be ${must}`,
    reason: "FieldValueInvalid",
  });
  const forbidden = (message: string): Problem => ({
    path: "[]",
    message: `Forbidden: ${message}`,
    reason: "FieldValueForbidden",
  });
  return [
    ...(tailLines !== undefined && tailLines < 0
      ? [invalid("tailLines", tailLines, "greater than or equal to 0")]
      : []),
    ...(limitBytes !== undefined && limitBytes < 1 ? [invalid("limitBytes", limitBytes, "greater than 0")] : []),
    ...(sinceSeconds !== undefined && sinceTime !== undefined
      ? [forbidden("at most one of `sinceTime` or `sinceSeconds` may be specified")]
      : sinceSeconds !== undefined && sinceSeconds < 1
        ? [invalid("sinceSeconds", sinceSeconds, "greater than 0")]
        : []),
    ...(streams.includes(stream)
      ? []
      : [
          {
            path: "stream",
            message: `Unsupported value: ${JSON.stringify(stream)}: supported values: "All", "Stderr", "Stdout"`,
            reason: "FieldValueNotSupported" as const,
          },
        ]),
    ...(stream !== "All" && tailLines !== undefined
      ? [forbidden("`tailLines` and specific `stream` are mutually exclusive for now")]
      : []),
  ];
}

function refusal(name: string, flaws: readonly Problem[]): ApiError {
  const said = flaws.map(({ path, message }) => `${path}: ${message}`);
  const list = said.length === 1 ? said[0]! : `[${said.join(", ")}]`;
  const causes = flaws.map(({ path, message, reason }) => ({ reason, message, field: path }));
  return new ApiError("Invalid", `PodLogOptions "${name}" is invalid: ${list}`, {
    name,
    kind: "PodLogOptions",
    causes,
  });
}

/** The query a kubelet is asked with for the log of the pod of this name. */
export function logQuery(name: string, query: URLSearchParams): URLSearchParams {
  const numbers: Numbers = {
    tailLines: whole(query, "tailLines"),
    limitBytes: whole(query, "limitBytes"),
    sinceSeconds: whole(query, "sinceSeconds"),
    sinceTime: sinceTimeIn(query),
    stream: query.get("stream") || "All",
  };
  const flaws = flawsOf(numbers);
  if (flaws.length > 0) throw refusal(name, flaws);
  const flags = ["follow", "previous", "timestamps"].filter((flag) => yes(query, flag));
  const given = Object.entries(numbers).filter(([, value]) => value !== undefined);
  return new URLSearchParams([
    ...flags.map((flag): [string, string] => [flag, "true"]),
    ...given.map(([field, value]): [string, string] => [field, String(value)]),
  ]);
}
