// What is found about one object: its state, and the tree of causes. Pure.
import type { Cause, ExplainedState, ObjectReference } from "../../api/explanation/explanation.ts";
import { apiVersionOf, type ResourceDefinition } from "../../api/kinds.ts";
import type { ApiObject } from "../../api/meta.ts";

export interface Finding {
  readonly state: ExplainedState;
  /** One line about the object, which does not repeat its name. */
  readonly message: string;
  /** Empty when it is as desired; otherwise a tree, whose leaves are the root causes. */
  readonly causes: readonly Cause[];
}

export const asDesired = (message: string): Finding => ({ state: "AsDesired", message, causes: [] });
export const progressing = (message: string, ...causes: readonly Cause[]): Finding => ({
  state: "Progressing",
  message,
  causes,
});
export const waiting = (message: string, ...causes: readonly Cause[]): Finding => ({
  state: "Waiting",
  message,
  causes,
});
export const failing = (message: string, ...causes: readonly Cause[]): Finding => ({
  state: "Failing",
  message,
  causes,
});

/** The reference to an object that was read. */
export const referenceTo = ({ apiVersion, kind, metadata }: ApiObject): ObjectReference => {
  const { namespace, name, uid, resourceVersion } = metadata;
  return { apiVersion, kind, ...(namespace !== undefined && { namespace }), name, uid, resourceVersion };
};
/** The reference to an object by its name, whether it exists or not. */
export const referenceByName = (
  r: Pick<ResourceDefinition, "group" | "version" | "kind">,
  namespace: string | undefined,
  name: string,
): ObjectReference => ({
  ...{ apiVersion: apiVersionOf(r), kind: r.kind },
  ...(namespace !== undefined && { namespace }),
  name,
});

const severity: Readonly<Record<ExplainedState, number>> = { AsDesired: 0, Progressing: 1, Waiting: 2, Failing: 3 };
/** The most severe of states; `AsDesired` of none. */
export const worst = (states: readonly ExplainedState[]): ExplainedState =>
  states.reduce((a, b) => (severity[b] > severity[a] ? b : a), "AsDesired");

const idOf = ({ reason, message, object }: Cause): string =>
  JSON.stringify([reason, message, object?.kind, object?.namespace, object?.name]);

/** The root causes of a tree, each once, in the order in which they are met, with the objects they are about. */
export function rootsOf(causes: readonly Cause[]): readonly Cause[] {
  const leaves = (all: readonly Cause[], about?: ObjectReference): readonly Cause[] =>
    all.flatMap((c) => {
      const object = c.object ?? about;
      return c.causes?.length ? leaves(c.causes, object) : [{ ...(object && { object }), ...c }];
    });
  return [...new Map(leaves(causes).map((cause) => [idOf(cause), cause])).values()];
}

/** The root causes of a tree, followed by the branches that lead from them to the state. */
export function rootsFirst(causes: readonly Cause[]): readonly Cause[] {
  const branches = causes.filter((c) => c.causes?.length);
  return branches.length === 0 ? causes : [...rootsOf(causes), ...branches];
}

/** An object and what was found about it. */
export interface Found<T extends ApiObject = ApiObject> {
  readonly object: T;
  readonly finding: Finding;
}

/** The message of a cause without the name of the object it is about, so that equal ones are recognized. */
const shapeOf = (cause: Cause, { metadata: { name, uid } }: ApiObject): string => {
  const plain = (text: string): string => text.replaceAll(uid, "UID").replaceAll(name, "NAME");
  const below = (cause.causes ?? []).map((c) => [c.reason, plain(c.message)]);
  return JSON.stringify([cause.reason, plain(cause.message), below]);
};

/**
 * The causes of equal objects, such as the pods of one template: one of each sort, with the number of further objects.
 * Sorts of failing objects come first, and larger ones.
 */
export function grouped(found: readonly Found[]): readonly Cause[] {
  const all = found.flatMap(({ object, finding }) =>
    finding.causes.map((cause) => ({ cause: { object: referenceTo(object), ...cause }, object, state: finding.state })),
  );
  const sorts = [...Map.groupBy(all, ({ cause, object }) => shapeOf(cause, object)).values()];
  return sorts
    .toSorted((a, b) => severity[b[0]!.state] - severity[a[0]!.state] || b.length - a.length)
    .map((same) => {
      const { cause } = same[0]!;
      return same.length === 1 ? cause : { ...cause, message: `${cause.message} (and ${same.length - 1} more)` };
    });
}

/** A command, with the namespace where it is not the default one. */
export const command = (line: string, namespace: string | undefined): string =>
  `orrery ${line}${namespace === undefined || namespace === "default" ? "" : ` -n ${namespace}`}`;
