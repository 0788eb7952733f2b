// Joins everything that is known about an object: its causes, decisions, fields, events and owners, and what the
// scheduler, the kubelet and the proxies of nodes say.
import { pods } from "../../api/core/pods.ts";
import { services } from "../../api/core/services.ts";
import { ApiError } from "../../api/errors.ts";
import type { DecisionRecord } from "../../api/explanation/decisions.ts";
import {
  type EventExplanation,
  type Explanation,
  explanationVersion,
  type ObjectReference,
} from "../../api/explanation/explanation.ts";
import type { SchedulingExplanation } from "../../api/explanation/scheduling.ts";
import type { CoreV1Event, Pod, Service } from "../../api/generated/types.ts";
import { type ApiObject, controllerOf } from "../../api/meta.ts";
import type { PartName } from "../../machinery/explanations.ts";
import type { Kubelets } from "../kubelets/kubelets.ts";
import type { ApiRequest } from "../request/request-response.ts";
import { decisionsAbout, readableDecisions } from "./decisions.ts";
import { fieldsOf } from "./fields.ts";
import { referenceTo, rootsFirst } from "./finding.ts";
import type { Leaders } from "./leader.ts";
import { kubeletPart, servicePart } from "./nodes.ts";
import { readableScheduling } from "./readable-scheduling.ts";
import { isRead, lastOf, type Reader, readerFor, type ReaderPorts } from "./reader.ts";
import { findingOf } from "./rules.ts";

export interface ExplainPorts extends ReaderPorts {
  readonly kubelets: Pick<Kubelets, "tls" | "get">;
}

/** The user of a request for an explanation, and when it ends. */
type Asking = Pick<ApiRequest, "user" | "signal">;

const eventOf = (e: CoreV1Event): EventExplanation => ({
  ...{ type: e.type ?? "", reason: e.reason ?? "", message: e.message ?? "" },
  ...{ count: e.series?.count ?? e.count ?? 1, last: lastOf(e) },
  ...(e.source?.component && { source: e.source.component }),
});

/** The chain of controllers, as far as the user may read it; the first is named by the object itself. */
async function ownersOf(object: ApiObject, reader: Reader): Promise<readonly ObjectReference[]> {
  const reference = controllerOf(object);
  if (!reference) return [];
  const owner = await reader.owner(object, reference);
  if (isRead(owner)) return [referenceTo(owner), ...(await ownersOf(owner, reader))];
  const { apiVersion, kind, name, uid } = reference;
  const { namespace } = object.metadata;
  return [{ apiVersion, kind, ...(namespace !== undefined && { namespace }), name, uid }];
}

export interface Explainer {
  explain(object: ApiObject, asking: Asking): Promise<Explanation>;
  /** A part that only the leader has, from this process. Throws ServiceUnavailable when it does not lead. */
  partOf(part: PartName, object: ApiObject, asking: Asking): Promise<unknown>;
  /** A reader for lists of explanations. */
  readerOf(asking: Asking): Reader;
}

const pathOf = (object: ApiObject, { registry }: ExplainPorts): string => {
  const r = registry.kinds.ofKind(object.apiVersion, object.kind)!;
  const { namespace, name } = object.metadata;
  const root = r.group === "" ? `/api/${r.version}` : `/apis/${r.group}/${r.version}`;
  return `/explain${root}${namespace === undefined ? "" : `/namespaces/${namespace}`}/${r.plural}/${name}`;
};

export function explainer(ports: ExplainPorts, leaders: Leaders): Explainer {
  const { registry, relations, kubelets } = ports;
  const { clock } = registry.world;
  const localScheduling = (pod: ApiObject) => leaders.local("scheduling")?.(pod as Pod);
  const localDecisions = (object: ApiObject) => {
    const of = leaders.local("decisions");
    return of && decisionsAbout(object, relations, of);
  };
  const readerOf = ({ user, signal }: Asking, missing: Record<string, string>): Reader => {
    const reader: Reader = readerFor(
      user,
      ports,
      {
        async scheduling(pod) {
          const raw = localScheduling(pod) ?? (await remote<SchedulingExplanation>("scheduling", pod, missing));
          return raw && readableScheduling(raw, reader);
        },
        kubelet: (pod) => kubeletPart(pod, { kubelets, clock }, signal),
      },
      (object, own) => findingOf(object, own, clock.now()),
    );
    return reader;
  };
  async function remote<T>(part: PartName, object: ApiObject, missing: Record<string, string>): Promise<T | undefined> {
    try {
      return (await leaders.remote(part, pathOf(object, ports))) as T;
    } catch (e) {
      if (!(e instanceof ApiError) && !(e instanceof SyntaxError)) throw e;
      missing[part] = e.message;
      return undefined;
    }
  }
  return {
    readerOf: (asking) => readerOf(asking, {}),
    async partOf(part, object, asking) {
      const reader = readerOf(asking, {});
      const absent = new ApiError("ServiceUnavailable", `no component of this process provides ${part}`);
      if (part === "scheduling") {
        const scheduling = object.kind === pods.kind ? localScheduling(object) : undefined;
        if (!scheduling) throw absent;
        return readableScheduling(scheduling, reader);
      }
      const decisions = localDecisions(object);
      if (!decisions) throw absent;
      return readableDecisions(decisions, registry.kinds, reader);
    },
    async explain(object, asking) {
      const missing: Record<string, string> = {};
      const reader = readerOf(asking, missing);
      const isPod = object.kind === pods.kind && object.apiVersion === "v1";
      const isService = object.kind === services.kind && object.apiVersion === "v1";
      const decided = async (): Promise<readonly DecisionRecord[]> => {
        const local = localDecisions(object);
        const all = local ?? (await remote<readonly DecisionRecord[]>("decisions", object, missing)) ?? [];
        return readableDecisions(all, registry.kinds, reader);
      };
      const [finding, decisions, events, owners, scheduling, kubelet, service] = await Promise.all([
        ...([findingOf(object, reader, clock.now()), decided(), reader.eventsOf(object)] as const),
        ...([ownersOf(object, reader), isPod ? reader.scheduling(object as Pod) : undefined] as const),
        isPod ? reader.kubelet(object as Pod) : undefined,
        isService ? servicePart(object as Service, { kubelets, clock, reader }, asking.signal) : undefined,
      ]);
      const { state, message, causes } = finding;
      return {
        ...{ kind: "Explanation", apiVersion: explanationVersion, object: referenceTo(object) },
        ...{ summary: { state, message }, causes: rootsFirst(causes), decisions, fields: fieldsOf(object) },
        ...{ events: events.map(eventOf), owners },
        ...(scheduling && { scheduling }),
        ...(kubelet && { kubelet }),
        ...(service && { service }),
        ...(Object.keys(missing).length > 0 && { missing }),
      };
    },
  };
}
