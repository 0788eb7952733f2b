// Spans over what components do, and which span caused each revision, so that whoever acts on a change continues the
// trace of the write behind it. A world without a tracer records nothing.
import type { SpanAttributes, SpanContext, SpanRecord } from "../api/explanation/trace.ts";
import type { Key, Revision } from "../api/meta.ts";

/** Uniform in [0, 1). */
interface Random {
  next(): number;
}

export interface SpanOptions {
  /** The span that this one is part of or caused by; without one a trace begins. */
  readonly parent?: SpanContext | undefined;
  /** When it began, in milliseconds since the epoch; now unless set. */
  readonly at?: number;
  /** The object it is about: `spanObject`. */
  readonly object?: string | undefined;
  readonly attributes?: SpanAttributes;
}

/** Facts about a span that are known after its beginning. */
export type SpanFacts = Pick<SpanRecord, "name" | "object" | "isWrite"> & { readonly attributes: SpanAttributes };

/** A span that has not ended. It is recorded when it ends, and not at all if it does not. */
export interface Span {
  readonly context: SpanContext;
  /** Begins a part of it, of the same object. */
  child(name: string, options?: Omit<SpanOptions, "parent">): Span;
  set(facts: Partial<SpanFacts>): void;
  end(outcome?: { readonly at?: number; readonly error?: string | undefined }): void;
}

/** A change of an object, as far as it identifies the write behind it. */
export interface CausedChange {
  readonly kind: string;
  readonly key: Key;
  readonly revision: Revision;
}

export interface Tracer {
  /** In milliseconds since the epoch, with fractions. */
  now(): number;
  start(name: string, options?: SpanOptions): Span;
  /** Remembers the span of a write for as long as the bounded table reaches back. */
  caused(revision: Revision, span: SpanContext): void;
  /**
   * Remembers the span of a write that is being committed: its change may be seen before its revision is known. Call
   * the result when the outcome is known.
   */
  committing(kind: string, key: Key, span: SpanContext): () => void;
  /** The span of the write behind a change, if it was traced. */
  causeOf(change: CausedChange): SpanContext | undefined;
  /** The same tracer, for another component of the process. */
  as(component: string): Tracer;
}

export interface TracerOptions {
  readonly component: string;
  readonly node?: string;
  readonly random: Random;
  readonly now: () => number;
  /** Receives each sampled span when it ends. */
  readonly record: (span: SpanRecord) => void;
  /** Of a million traces that begin here, how many are recorded; all unless set. */
  readonly samplesPerMillion?: number;
}

/** Revisions whose cause is remembered. A change older than that begins a trace of its own. */
const rememberedRevisions = 16_384;
const million = 1_000_000;

const hex = (random: Random): string =>
  Math.floor(random.next() * 2 ** 32)
    .toString(16)
    .padStart(8, "0");

/** Identifiers with a random first half, and a counter as the second: one random number per process, not per span. */
function identifiers(random: Random): { traceId(): string; spanId(): string } {
  const prefix = hex(random);
  const tracePrefix = hex(random) + hex(random) + prefix;
  // Not from zero: an identifier of zeros only is invalid.
  let count = 1;
  const next = (): string => (count++ >>> 0).toString(16).padStart(8, "0");
  return { traceId: () => tracePrefix + next(), spanId: () => prefix + next() };
}

/** The span of each revision, in a ring. */
function causes(): Pick<Tracer, "caused" | "committing" | "causeOf"> {
  const ring: ({ readonly revision: Revision; readonly span: SpanContext } | undefined)[] = [];
  const pending = new Map<string, SpanContext>();
  return {
    caused(revision, span) {
      ring[revision % rememberedRevisions] = { revision, span };
    },
    committing(kind, key, span) {
      const id = `${kind} ${key}`;
      pending.set(id, span);
      return () => {
        if (pending.get(id) === span) pending.delete(id);
      };
    },
    causeOf({ kind, key, revision }) {
      const known = ring[revision % rememberedRevisions];
      if (known?.revision === revision) return known.span;
      return pending.size > 0 ? pending.get(`${kind} ${key}`) : undefined;
    },
  };
}

/** A tracer whose components share one table of causes. */
export function tracer(options: TracerOptions): Tracer {
  const { random, now, record, samplesPerMillion = million } = options;
  const ids = identifiers(random);
  const table = causes();
  const isSampled = (): boolean => samplesPerMillion >= million || random.next() * million < samplesPerMillion;
  const of = (component: string): Tracer => {
    const source = { component, ...(options.node !== undefined && { node: options.node }) };
    const start = (name: string, { parent, at = now(), object, attributes }: SpanOptions = {}): Span => {
      const context: SpanContext = {
        traceId: parent?.traceId ?? ids.traceId(),
        spanId: ids.spanId(),
        isSampled: parent ? parent.isSampled : isSampled(),
      };
      let facts: Partial<SpanFacts> = { ...(object !== undefined && { object }), ...(attributes && { attributes }) };
      return {
        context,
        child: (part, options) => start(part, { object: facts.object, ...options, parent: context }),
        set(more) {
          const all = { ...facts.attributes, ...more.attributes };
          facts = { ...facts, ...more, attributes: all };
        },
        end({ at: end = now(), error } = {}) {
          if (!context.isSampled) return;
          const { traceId, spanId } = context;
          record({
            ...{ traceId, spanId, name, ...source, start: at, end },
            ...(parent && { parentSpanId: parent.spanId }),
            ...facts,
            ...(error !== undefined && { error }),
          });
        },
      };
    };
    return { ...table, now, start, as: of };
  };
  return of(options.component);
}
