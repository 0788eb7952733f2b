// Spans of one change through the cluster, and the header that carries their context. Source: W3C Trace Context.

/** Which span something is part of, or caused by. */
export interface SpanContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** Spans of a trace that is not sampled are not recorded, but their context is passed on. */
  readonly isSampled: boolean;
}

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** A span that has ended. Times in milliseconds since the epoch, with fractions. */
export interface SpanRecord {
  readonly traceId: string;
  readonly spanId: string;
  /** The span that it is part of, or that caused it. */
  readonly parentSpanId?: string;
  readonly name: string;
  /** The program that recorded it, such as `kube-scheduler`. */
  readonly component: string;
  /** The node of that program, for those that run on nodes. */
  readonly node?: string;
  /** The object it is about, as {@link spanObject} writes it. */
  readonly object?: string;
  /** Whether it is a write of the object: a request to the API. */
  readonly isWrite?: true;
  readonly start: number;
  readonly end: number;
  readonly attributes?: SpanAttributes;
  /** Why it failed. */
  readonly error?: string;
}

/** What `GET /traces/<path of an object>` returns: the last trace that changed the object, spans by their start. */
export interface Trace {
  readonly kind: "Trace";
  readonly apiVersion: "orrery.dev/v1";
  readonly object: { readonly kind: string; readonly namespace?: string; readonly name: string };
  readonly traceId: string;
  readonly spans: readonly SpanRecord[];
  /** Spans beyond the bound of one trace, which are not kept. */
  readonly dropped: number;
}

/** An object in a span: its group and plural, and its key. */
export const spanObject = (r: { readonly group: string; readonly plural: string }, key: string): string =>
  `${r.group}/${r.plural} ${key}`;

const pattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** The context in a `traceparent` header; undefined when the header is absent or malformed, which is to be ignored. */
export function parseTraceparent(header: unknown): SpanContext | undefined {
  const [, version, traceId, spanId, flags, more] = pattern.exec(typeof header === "string" ? header.trim() : "") ?? [];
  if (version === undefined || version === "ff" || (version === "00" && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId!) || /^0+$/.test(spanId!)) return undefined;
  return { traceId: traceId!, spanId: spanId!, isSampled: (Number.parseInt(flags!, 16) & 1) === 1 };
}
/** The value of a `traceparent` header. */
export const formatTraceparent = ({ traceId, spanId, isSampled }: SpanContext): string =>
  `00-${traceId}-${spanId}-0${isSampled ? 1 : 0}`;
