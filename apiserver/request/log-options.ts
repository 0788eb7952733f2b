// PodLogOptions from a query, validated and translated for the kubelet. Pure.
import { ApiError, type Problem } from "../../api/errors.ts";
import { forbidden, invalid as wrong } from "../../api/problems.ts";
import { timeError } from "../../api/times.ts";
import { invalid } from "../registry/refusals.ts";
import { flag, wholeNumber } from "./path.ts";

const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
/** A time that is given and is none, and what older clients write for it. */
const beginning: Readonly<Record<string, string>> = { "": "0001-01-01T00:00:00Z", null: "0001-01-01T00:00:00Z" };

function sinceTimeIn(query: URLSearchParams): string | undefined {
  const text = query.get("sinceTime");
  if (text === null || time.test(text)) return text ?? undefined;
  if (beginning[text] !== undefined) return beginning[text];
  throw new ApiError("BadRequest", timeError(text, "date-time"));
}

interface Numbers {
  readonly tailLines: number | undefined;
  readonly limitBytes: number | undefined;
  readonly sinceSeconds: number | undefined;
  readonly sinceTime: string | undefined;
}

const root = "[]";
function flawsOf({ tailLines, limitBytes, sinceSeconds, sinceTime }: Numbers): readonly Problem[] {
  return [
    ...(tailLines !== undefined && tailLines < 0
      ? [wrong("tailLines", tailLines, "must be greater than or equal to 0")]
      : []),
    ...(limitBytes !== undefined && limitBytes < 1 ? [wrong("limitBytes", limitBytes, "must be greater than 0")] : []),
    ...(sinceSeconds !== undefined && sinceTime !== undefined
      ? [forbidden(root, "at most one of `sinceTime` or `sinceSeconds` may be specified")]
      : sinceSeconds !== undefined && sinceSeconds < 1
        ? [wrong("sinceSeconds", sinceSeconds, "must be greater than 0")]
        : []),
  ];
}

/** To choose one of the two streams is a thing of the future: v1.36 has it, and has it turned off (KEP-3288). */
const flawOfStream = (query: URLSearchParams): readonly Problem[] =>
  query.has("stream") ? [forbidden("stream", "may not be specified")] : [];

/** The query of the kubelet's log endpoint. Throws Invalid. */
export function logQuery(name: string, query: URLSearchParams): URLSearchParams {
  const numbers: Numbers = {
    tailLines: wholeNumber(query, "tailLines"),
    limitBytes: wholeNumber(query, "limitBytes"),
    sinceSeconds: wholeNumber(query, "sinceSeconds"),
    sinceTime: sinceTimeIn(query),
  };
  const flaws = [...flawsOf(numbers), ...flawOfStream(query)];
  if (flaws.length > 0) throw invalid({ group: "", kind: "PodLogOptions", plural: "" }, name, flaws);
  const flags = ["follow", "previous", "timestamps"].filter((one) => flag(query, one));
  const present = Object.entries(numbers).filter(([, value]) => value !== undefined);
  return new URLSearchParams([
    ...flags.map((one): [string, string] => [one, "true"]),
    ...present.map(([field, value]): [string, string] => [field, String(value)]),
  ]);
}
