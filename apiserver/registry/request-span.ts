// The span of a request to the API: its steps are parts of it, and what it commits is remembered as caused by it.
import { type SpanContext, spanObject } from "../../api/explanation/trace.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { keyOf } from "../../api/meta.ts";
import type { Span, Tracer } from "../../machinery/trace.ts";
import type { WriteTrace } from "./verbs.ts";

export interface RequestSpan {
  readonly trace: WriteTrace;
  end(outcome?: { readonly code?: number; readonly error?: string }): void;
}

/** What is traced of a request. */
export interface TracedRequest {
  readonly verb: string;
  readonly resource: Pick<ResourceDefinition, "group" | "plural">;
  readonly subresource?: string | undefined;
  /** Of one object, unless its name is generated. */
  readonly key?: string | undefined;
  readonly user?: string | undefined;
  /** When it arrived, in milliseconds since the epoch; now unless set. */
  readonly at?: number;
}

/** Steps that become parts of the span, by the names that the registry reports. */
const parts: Readonly<Record<string, string>> = {
  admitted: "mutating admission",
  validated: "validation and validating admission",
  committed: "commit to storage",
};
const writes: ReadonlySet<string> = new Set(["create", "update", "patch", "delete", "deletecollection", "evict"]);
/** Written all the time, without a cause: heartbeats, elections and events would displace every other trace. */
const background: ReadonlySet<string> = new Set(["coordination.k8s.io/leases", "/events", "events.k8s.io/events"]);

/**
 * Whether a request is traced: every write, but heartbeats and events only as part of a trace; a read only when its
 * client is traced.
 */
export function isTraced({ verb, resource }: TracedRequest, parent: SpanContext | undefined): boolean {
  if (parent) return parent.isSampled;
  return writes.has(verb) && !background.has(`${resource.group}/${resource.plural}`);
}

/** Follows the steps of a write as parts of its span. */
function follow(span: Span, tracer: Tracer, name: string): WriteTrace {
  let before = tracer.now();
  const step = (ended: string): void => {
    const at = tracer.now();
    const part = parts[ended];
    if (part !== undefined) span.child(part, { at: before }).end({ at });
    before = at;
  };
  return Object.assign(step, {
    committing(r: ResourceDefinition, object: Parameters<NonNullable<WriteTrace["committing"]>>[1]) {
      const key = keyOf(object);
      span.set({ name: `${name} ${key}`, object: spanObject(r, key), isWrite: true });
      const settled = tracer.committing(object.kind, key, span.context);
      return (at: Parameters<ReturnType<NonNullable<WriteTrace["committing"]>>>[0]) => {
        if (at !== undefined) {
          tracer.caused(at, span.context);
          span.set({ attributes: { revision: at } });
        }
        settled();
      };
    },
  });
}

/** Begins the span of a request. */
export function requestSpan(
  tracer: Tracer,
  { verb, resource, subresource, key, user, at }: TracedRequest,
  parent: SpanContext | undefined,
): RequestSpan {
  const name = `${verb} ${resource.plural}${subresource === undefined ? "" : `/${subresource}`}`;
  const span = tracer.start(key === undefined ? name : `${name} ${key}`, {
    parent,
    ...(at !== undefined && { at }),
    ...(key !== undefined && { object: spanObject(resource, key) }),
    attributes: user === undefined ? {} : { user },
  });
  return {
    trace: follow(span, tracer, name),
    end({ code, error } = {}) {
      if (code !== undefined) span.set({ attributes: { code } });
      span.end({ error: error ?? (code !== undefined && code >= 400 ? `status ${code}` : undefined) });
    },
  };
}
