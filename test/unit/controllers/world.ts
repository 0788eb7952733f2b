// Objects for tables, and the execution of decisions on them. Every decision converges: repeated, it has no actions.
import type { Pod } from "../../../api/generated/types.ts";
import { keyOf, timestamp, type ApiObject, type Instant } from "../../../api/meta.ts";
import { type Action, ownersWith, ownersWithout } from "../../../machinery/action.ts";

export const now = Date.parse("2026-01-01T12:00:00Z") as Instant;
export const ago = (seconds: number): string => timestamp((now - seconds * 1000) as Instant);

let born = 0;
/** A draft with the fields the server adds. */
export const asStored = <T extends ApiObject>(draft: object, more: object = {}): T => {
  const d = draft as { readonly metadata: object; readonly kind: string };
  return {
    apiVersion: "v1",
    ...d,
    metadata: { uid: `uid-${++born}`, resourceVersion: "1", generation: 1, creationTimestamp: ago(0), ...d.metadata },
    ...more,
  } as unknown as T;
};

/** Applies actions to a list of objects and returns the new list. Events are dropped. */
export function carryOut(actions: readonly Action[], world: readonly ApiObject[]): readonly ApiObject[] {
  let all = [...world];
  for (const a of actions) {
    if (a.do === "event") continue;
    if (a.do === "create") {
      all.push(asStored({ apiVersion: "v1", ...a.draft }));
      continue;
    }
    const same = (o: ApiObject): boolean => o.kind === a.object.kind && keyOf(o) === keyOf(a.object);
    all =
      a.do === "delete" || a.do === "evict"
        ? all.filter((o) => !same(o))
        : all.map((o) => (same(o) ? written(o, a) : o));
  }
  return all;
}

function written(o: ApiObject, a: Exclude<Action, { do: "event" | "create" | "delete" | "evict" }>): ApiObject {
  if (a.do === "status" || a.do === "approve") return { ...o, status: a.status } as ApiObject;
  if (a.do === "update") return { ...a.object, status: (o as { status?: unknown }).status } as ApiObject;
  if (a.do === "adopt" || a.do === "release") {
    const ownerReferences = a.do === "adopt" ? ownersWith(o, a.owner) : ownersWithout(o, a.owner.metadata.uid);
    return { ...o, metadata: { ...o.metadata, ownerReferences } };
  }
  return a.patch.type === "merge" ? (mergeInto(o, a.patch.patch) as ApiObject) : o;
}

const isMap = (v: unknown): v is Readonly<Record<string, unknown>> =>
  typeof v === "object" && v !== null && !Array.isArray(v);
function mergeInto(target: unknown, patch: unknown): unknown {
  if (!isMap(patch)) return patch;
  const base = isMap(target) ? target : {};
  const merged = { ...base, ...Object.fromEntries(Object.entries(patch).map(([k, v]) => [k, mergeInto(base[k], v)])) };
  return Object.fromEntries(Object.entries(merged).filter(([, v]) => v !== null));
}

export const pod = (
  name: string,
  more: {
    readonly phase?: string;
    readonly ready?: boolean;
    readonly metadata?: object;
    readonly spec?: object;
    readonly readySeconds?: number;
    readonly startedSeconds?: number;
  } = {},
): Pod =>
  asStored<Pod>({
    kind: "Pod",
    metadata: { name, namespace: "default", labels: { app: "web" }, ...more.metadata },
    spec: { nodeName: "n1", containers: [{ name: "c", image: "app:1" }], ...more.spec },
    status: {
      phase: more.phase ?? "Running",
      podIP: "10.244.1.2",
      startTime: ago(more.startedSeconds ?? 70),
      conditions: [
        {
          type: "Ready",
          status: (more.ready ?? true) ? "True" : "False",
          lastTransitionTime: ago(more.readySeconds ?? 60),
        },
      ],
    },
  });

/** A one-line summary of actions, for table rows. */
export const summaryOf = (actions: readonly Action[]): string =>
  actions
    .flatMap((a) => {
      if (a.do === "create") return [`create ${a.draft.metadata.name}`];
      return a.do === "delete" ? [`delete ${a.object.metadata.name}`] : [];
    })
    .join(", ");
