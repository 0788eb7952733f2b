// The revisions of workloads: replica sets of deployments, controller revisions of daemon sets and stateful sets.
import type { ControllerRevision, Deployment, PodTemplateSpec, ReplicaSet } from "../../api/generated/types.ts";
import { controllerOf } from "../../api/meta.ts";
import { selectorText } from "../../api/selector.ts";
import type { Connection } from "./connection.ts";
import { query } from "./resources.ts";

const revisionAnnotation = "deployment.kubernetes.io/revision";
const changeCause = "kubernetes.io/change-cause";

/** A state that a workload can return to. */
export interface Revision {
  readonly number: number;
  readonly cause: string;
  /** The pods of the revision, for deployments with the label that their replica set added. */
  readonly template: PodTemplateSpec | undefined;
  readonly object: ReplicaSet | ControllerRevision;
}

/** The data of a controller revision. */
interface TemplatePatch {
  readonly spec?: { readonly template?: PodTemplateSpec & { readonly $patch?: string } };
}

/** The revisions of a deployment's replica sets, oldest first. */
export const revisionsOf = (sets: readonly ReplicaSet[]): readonly Revision[] =>
  sets
    .map((set) => ({
      number: Number(set.metadata.annotations?.[revisionAnnotation] ?? 0),
      cause: set.metadata.annotations?.[changeCause] ?? "<none>",
      template: set.spec.template!,
      object: set,
    }))
    .toSorted((a, b) => a.number - b.number);

/** The template of a controller revision, whose data is a strategic merge patch that replaces it. */
function templateIn({ data }: ControllerRevision): PodTemplateSpec | undefined {
  const { $patch: _, ...template } = (data as TemplatePatch | undefined)?.spec?.template ?? {};
  return template;
}

/** The revisions of controller revisions, oldest first. */
const controllerRevisions = (all: readonly ControllerRevision[]): readonly Revision[] =>
  all
    .map((object) => ({
      number: object.revision,
      cause: object.metadata.annotations?.[changeCause] ?? "<none>",
      template: templateIn(object),
      object,
    }))
    .toSorted((a, b) => a.number - b.number);

/** The template of a revision without the `pod-template-hash` label of its replica set. */
export function templateOf({ template }: Pick<Revision, "template">): PodTemplateSpec {
  const { "pod-template-hash": _, ...labels } = template?.metadata?.labels ?? {};
  return { ...template, metadata: { ...template?.metadata, labels } };
}

/** A workload with revisions. */
export type Rollable = Pick<Deployment, "kind" | "metadata"> & { readonly spec?: Partial<Deployment["spec"]> };

/** The object that stands for a revision: the replica set of a deployment, other workloads as they were then. */
export const objectOf = (workload: Rollable, { object, template }: Revision): object =>
  workload.kind === "Deployment" ? object : { ...workload, spec: { ...workload.spec, template } };

/** The revisions of a workload, oldest first; undefined for kinds without. */
export async function readRevisions(api: Connection, workload: Rollable): Promise<readonly Revision[] | undefined> {
  const { kind, metadata, spec } = workload;
  if (!["Deployment", "DaemonSet", "StatefulSet"].includes(kind)) return undefined;
  const plural = kind === "Deployment" ? "replicasets" : "controllerrevisions";
  const parameters = query({ labelSelector: selectorText(spec?.selector) });
  const items = await api.list<ReplicaSet & ControllerRevision>(
    `/apis/apps/v1/namespaces/${metadata.namespace}/${plural}${parameters}`,
  );
  const own = items.filter((item) => controllerOf(item)?.uid === metadata.uid);
  return kind === "Deployment" ? revisionsOf(own) : controllerRevisions(own);
}
