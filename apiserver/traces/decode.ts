// Spans that programs on nodes send: read strictly, since what they hold is shown to others. Pure.
import { ApiError } from "../../api/errors.ts";
import type { SpanAttributes, SpanRecord } from "../../api/explanation/trace.ts";

const mostSpans = 4_096;
const longestText = 4_096;

const isText = (value: unknown): value is string => typeof value === "string" && value.length <= longestText;
const isOptionalText = (value: unknown): value is string | undefined => value === undefined || isText(value);
const isTime = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const isId = (value: unknown, digits: number): value is string =>
  typeof value === "string" && value.length === digits && /^[0-9a-f]+$/.test(value);

function isAttributes(value: unknown): value is SpanAttributes | undefined {
  if (value === undefined) return true;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const all = Object.values(value);
  return all.length <= 32 && all.every((v) => isText(v) || typeof v === "boolean" || isTime(v));
}

/** One span. Undefined for what is none. `isWrite` is left out: only the API server records writes. */
function spanIn(value: unknown): SpanRecord | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { traceId, spanId, parentSpanId, name, component, node, object, start, end, attributes, error } =
    value as Readonly<Record<string, unknown>>;
  if (!isId(traceId, 32) || !isId(spanId, 16) || !isText(name) || !isText(component)) return undefined;
  if (parentSpanId !== undefined && !isId(parentSpanId, 16)) return undefined;
  if (!isTime(start) || !isTime(end) || !isAttributes(attributes)) return undefined;
  if (!isOptionalText(node) || !isOptionalText(object) || !isOptionalText(error)) return undefined;
  return {
    ...{ traceId, spanId, name, component, start, end },
    ...(parentSpanId !== undefined && { parentSpanId }),
    ...(node !== undefined && { node }),
    ...(object !== undefined && { object }),
    ...(attributes !== undefined && { attributes }),
    ...(error !== undefined && { error }),
  };
}

/** The spans in a body: `{ spans: [...] }`. Throws BadRequest. */
export function spansIn(body: Buffer | undefined): readonly SpanRecord[] {
  let spans: unknown;
  try {
    ({ spans } = JSON.parse(body?.toString("utf8") ?? "") as { readonly spans?: unknown });
  } catch {
    throw new ApiError("BadRequest", "spans are sent as JSON: an object with a list named spans");
  }
  if (!Array.isArray(spans)) throw new ApiError("BadRequest", "the body has no list named spans");
  if (spans.length > mostSpans) throw new ApiError("BadRequest", `at most ${mostSpans} spans are sent at once`);
  return spans.map((value, i) => {
    const span = spanIn(value);
    if (!span) throw new ApiError("BadRequest", `spans[${i}] is no span`);
    return span;
  });
}
