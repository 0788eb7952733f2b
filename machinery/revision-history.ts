// History of a workload's pod template as ControllerRevisions: which one records the present template, and what is to
// be written so that one does. A template that returns gets its old revision again, with a new number. Pure.
import { controllerRevisions } from "../api/apps/controllerrevisions.ts";
import { flatText } from "../api/flat-text.ts";
import type { ControllerRevision, PodTemplateSpec } from "../api/generated/types.ts";
import { canonicalJson, canonicalText, hashName, memoized } from "../api/hash.ts";
import type { ResourceDefinition } from "../api/kinds.ts";
import { type ApiObject, type Draft, instantOf, ownedBy } from "../api/meta.ts";
import type { LabelSelectorLike } from "../api/selector.ts";
import { type Action, statusTo, updateTo } from "./action.ts";
import { claim } from "./selector-index.ts";

/** A workload whose templates are recorded. */
interface Revised extends ApiObject {
  readonly spec: {
    readonly selector: LabelSelectorLike;
    readonly template: PodTemplateSpec;
    readonly revisionHistoryLimit?: number;
  };
  readonly status?: { readonly collisionCount?: number };
}
export interface RevisionOwner {
  readonly kind: ResourceDefinition;
  readonly object: Revised;
  /** The label under which a revision has its hash. */
  readonly hashLabel: string;
}
/** What a history is decided on. */
export interface ObservedRevisions {
  /** Revisions that the workload controls, and uncontrolled ones that its selector picks. */
  readonly revisions: readonly ControllerRevision[];
  /** The revision of that name, of whatever owner. */
  readonly revisionNamed: (name: string) => ControllerRevision | undefined;
}
export interface RevisionHistory {
  /** Oldest first. */
  readonly revisions: readonly ControllerRevision[];
  /** The revision of the present template; undefined while it is to be created or numbered. */
  readonly update: ControllerRevision | undefined;
  /** To be carried out before anything that depends on the history. */
  readonly actions: readonly Action[];
}

interface TemplatePatch {
  readonly spec: { readonly template: PodTemplateSpec & { readonly $patch: "replace" } };
}
/**
 * The patch that returns a workload to a template, as `kubectl rollout undo` sends it. Clients compare its bytes with
 * what they would write themselves, so its keys are sorted, as Go sorts them.
 */
const patchTo = memoized(
  (template: PodTemplateSpec): TemplatePatch =>
    JSON.parse(canonicalJson({ spec: { template: { ...template, $patch: "replace" } } })),
);

/** The template that a revision records. */
export function templateOf({ data }: ControllerRevision): PodTemplateSpec {
  const { $patch: _, ...template } = (data as TemplatePatch).spec.template;
  return template;
}

const hasTemplate = ({ data }: ControllerRevision, template: PodTemplateSpec): boolean =>
  typeof data === "object" && data !== null && canonicalText(data) === canonicalText(patchTo(template));

const byNumber = (a: ControllerRevision, b: ControllerRevision): number =>
  a.revision - b.revision ||
  instantOf(a.metadata.creationTimestamp) - instantOf(b.metadata.creationTimestamp) ||
  (a.metadata.name < b.metadata.name ? -1 : 1);

const longestPrefix = 223;
/** Creates a revision of the present template under the first name that is free, and counts those that are not. */
function create(
  { object, kind, hashLabel }: RevisionOwner,
  revision: number,
  isTaken: (name: string) => boolean,
): readonly Action[] {
  const { name, namespace, annotations } = object.metadata;
  const { template } = object.spec;
  const { collisionCount: before = 0 } = object.status ?? {};
  for (let collisionCount = before; ; collisionCount++) {
    const hash = hashName(`${canonicalText(template)}/${collisionCount}`, 10);
    const revisionName = flatText(name.slice(0, longestPrefix), "-", hash);
    if (isTaken(revisionName)) continue;
    const draft: Draft<ControllerRevision> = {
      kind: "ControllerRevision",
      metadata: {
        ...{ name: revisionName, namespace, ownerReferences: [ownedBy(object)], ...(annotations && { annotations }) },
        labels: { ...template.metadata?.labels, [hashLabel]: hash },
      },
      data: patchTo(template),
      revision,
    };
    const status = { ...object.status, collisionCount };
    return [
      ...(collisionCount === before ? [] : statusTo<Revised>(kind, object, status)),
      { do: "create", resource: controllerRevisions, draft },
    ];
  }
}

/** The history of a workload, with the writes that it lacks. */
export function revisionHistory(owner: RevisionOwner, observed: ObservedRevisions): RevisionHistory {
  const { object } = owner;
  const claimed = claim({ ...owner, selector: object.spec.selector }, controllerRevisions, observed.revisions);
  const revisions = claimed.owned.toSorted(byNumber);
  const [newest, same] = [revisions.at(-1), revisions.findLast((r) => hasTemplate(r, object.spec.template))];
  const unsettled = (actions: readonly Action[]): RevisionHistory => ({ revisions, update: undefined, actions });
  if (claimed.actions.length > 0) return unsettled(claimed.actions);
  if (same && same === newest) return { revisions, update: same, actions: [] };
  const revision = (newest?.revision ?? 0) + 1;
  if (same) return unsettled(updateTo(controllerRevisions, same, { ...same, revision }));
  return unsettled(create(owner, revision, (name) => observed.revisionNamed(name) !== undefined));
}

/** Deletes the oldest revisions beyond the limit of those that are not in use, given by name. */
export function expireRevisions(
  { object }: RevisionOwner,
  revisions: readonly ControllerRevision[],
  used: ReadonlySet<string>,
): readonly Action[] {
  const limit = object.spec.revisionHistoryLimit ?? 10;
  const unused = revisions.filter(({ metadata }) => !used.has(metadata.name));
  // A negative limit keeps all.
  const excess = limit < 0 ? 0 : Math.max(0, unused.length - limit);
  return unused.slice(0, excess).map((revision) => ({ do: "delete", resource: controllerRevisions, object: revision }));
}
