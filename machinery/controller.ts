// What a controller declares: the kinds it observes, the keys a change concerns, and a pure decision. Views, indexes,
// handlers and rights follow from the declaration; reconcile.ts runs it.
import type { Reason } from "../api/explanation/decisions.ts";
import type { ResourceDefinition } from "../api/kinds.ts";
import { type ApiObject, controllerOf, type Instant, type Key, key, keyOf, type Revision } from "../api/meta.ts";
import type { LabelSelectorLike } from "../api/selector.ts";
import type { Action } from "./action.ts";
import type { Client } from "./client.ts";
import { bySelector, selectedBy, selectorsOf, uncontrolled } from "./selector-index.ts";
import type { ChangeType, Indexes, Lister } from "./view.ts";
import type { World } from "./world.ts";

/** `because` has the reasons, for users. `requeueAfter` in milliseconds. */
export interface Decision {
  readonly actions: readonly Action[];
  readonly because?: readonly string[];
  readonly requeueAfter?: number;
  /** Carried out after the actions. */
  readonly effect?: Effect;
  /** Why the key is decided about again, after a back-off that grows. */
  readonly failure?: string;
}
/** A change outside of the API, as by a call to a storage driver. It must be safe to repeat. */
export interface Effect {
  readonly description: string;
  /** Returns what follows from the result, also of a failed one. */
  readonly run: () => Promise<Decision>;
}
export const settled: Decision = { actions: [] };

/** The views a controller declared. Asking for the view of another kind is an error. */
export interface Views {
  of<T extends ApiObject>(kind: ResourceDefinition<T>): Lister<T>;
  /** Objects of a kind it owns: those that `owner` controls, and uncontrolled ones that `selector` picks. */
  childrenOf<T extends ApiObject>(
    kind: ResourceDefinition<T>,
    owner: ApiObject,
    selector?: LabelSelectorLike,
  ): readonly T[];
  /** Deletions of objects controlled by `owner`, since this process watches: makes names of replacements new. */
  deletionsOf(owner: ApiObject): number;
}

/** What happened to an object of a watched kind, and the views as they are now. */
export interface Change<T> {
  readonly type: ChangeType;
  readonly before: T | undefined;
  readonly views: Views;
  readonly now: Instant;
}
/** Called once for every change, so that a controller with a memory can keep it here. */
export type KeysOf<T> = (object: T, change: Change<T>) => readonly Key[];
/** A kind that is observed: which keys a change of its objects concerns, and the indexes it is read by. */
export interface Watch<T extends ApiObject = any> {
  readonly kind: ResourceDefinition<T>;
  readonly keysOf: KeysOf<T>;
  readonly indexes: Indexes<T>;
}

/** Observes a kind. Without `keysOf` it is only read: its changes cause no reconcile. */
export const watch = <T extends ApiObject>(
  kind: ResourceDefinition<T>,
  keysOf: KeysOf<T> = () => [],
  indexes: Indexes<T> = {},
): Watch<T> => ({ kind, keysOf, indexes });

/** What a controller may do with a resource, in RBAC's terms. */
interface Right {
  readonly group: string;
  readonly resource: string;
  /** The only objects it is for; all of them when left out. */
  readonly names?: readonly string[];
  /** The only namespace it is for. */
  readonly namespace?: string;
  readonly verbs: readonly string[];
}
/** Writes of a kind that follow from nothing else in a declaration. */
interface Writes {
  /** A kind, or a resource that only rights name. */
  readonly kind: Pick<ResourceDefinition<any>, "group" | "plural">;
  readonly subresource?: string;
  readonly names?: readonly string[];
  readonly namespace?: string;
  readonly verbs: readonly string[];
}

/** A controller as it is declared. `T` is the kind it reconciles, `O` what its decision depends on. */
interface Declaration<T extends ApiObject, O> {
  readonly name: string;
  /** The service account in kube-system that it acts as. `NAME-controller` unless given. */
  readonly account?: string;
  readonly reconciles: ResourceDefinition<T>;
  /** Kinds of which it controls objects. Their changes concern their controller, and an owner that may adopt them. */
  readonly owns?: readonly ResourceDefinition<any>[];
  /** How an object selects others; objects are found by it. Owned kinds are adopted only where it is given. */
  readonly selectorOf?: (object: T) => LabelSelectorLike | undefined;
  readonly watches?: readonly Watch[];
  /** Keys reconciled once at the start, beside those of existing objects. */
  readonly initialKeys?: readonly Key[];
  /** Works on one key at a time, because a decision about one depends on the last about another. */
  readonly serial?: boolean;
  /** Indexes the reconciled objects are read by. */
  readonly indexes?: Indexes<T>;
  /** Which keys a change of a reconciled object concerns. Its own unless given. */
  readonly keysOf?: KeysOf<T>;
  readonly writes?: readonly Writes[];
  /** Reads only views and the controller's memory of earlier observations. */
  readonly observe: (views: Views, key: Key, now: Instant) => O | undefined;
  /** Pure. */
  readonly decide: (observed: O, now: Instant) => Decision;
}
type Optional = "account" | "owns" | "watches" | "initialKeys" | "serial" | "writes";
/** A complete controller; `watches` is everything it observes, one entry for each kind and rule. */
export type Controller<O = any> = Pick<Declaration<any, O>, "name" | "reconciles" | "observe" | "decide"> &
  Required<Pick<Declaration<any, O>, Optional>> & {
    /** It makes itself the controller of what it selects. */ readonly adopts: boolean;
  };

/**
 * The low-level contract, for the few controllers that are not a pure decision; their first comment has the reason.
 */
export interface Reconciler {
  readonly name: string;
  /** The kind its keys are of, if they are of one. */
  readonly reconciles?: Pick<ResourceDefinition<any>, "group" | "kind" | "plural">;
  readonly watches: readonly Watch[];
  /** Adds event sources, for kinds that are added and removed at runtime. */
  readonly listen?: (enqueue: (key: Key, reason: Reason) => void, signal: AbortSignal) => void;
  /** Returns undefined when there was nothing to decide. */
  readonly reconcile: (key: Key, views: Views, signal: AbortSignal) => Promise<Reconciled | undefined>;
}
/** What a reconciler decided and did; `done` has one line per action, as {@link Decision.actions} are described. */
export interface Reconciled extends Pick<Decision, "requeueAfter" | "because"> {
  readonly done?: readonly string[];
}

export const itself = (o: ApiObject): readonly Key[] => [keyOf(o)];
/** The key of the object of this kind that controls `o`. */
export const managedBy =
  (kind: string) =>
  (o: ApiObject): readonly Key[] => {
    const owner = controllerOf(o);
    return owner?.kind === kind ? [key(o.metadata.namespace, owner.name)] : [];
  };

/** Objects by the uid of their controller. */
export const byController: Indexes<ApiObject> = {
  controller: (o) => {
    const owner = controllerOf(o);
    return owner ? [owner.uid] : [];
  },
};

/** Objects of an owned kind concern their controller, before and after the change, or those that can adopt them. */
function watchOwned<T extends ApiObject>(owned: ResourceDefinition<any>, d: Declaration<T, never>): Watch {
  const { reconciles, selectorOf } = d;
  const controllerKey = managedBy(reconciles.kind);
  const keysOf: KeysOf<ApiObject> = (o, { before, views, type }) => {
    const own = controllerKey(o);
    const former = before && before !== o ? controllerKey(before).filter((k) => k !== own[0]) : [];
    const isAdoptable = selectorOf && type !== "deleted" && controllerOf(o) === undefined;
    const adopters = isAdoptable ? selectorsOf(views.of(reconciles), selectorOf, o).map(keyOf) : [];
    return [...own, ...former, ...adopters];
  };
  return watch(owned, keysOf, { ...byController, ...(selectorOf && uncontrolled) });
}

/** Completes a declaration. */
export function controller<T extends ApiObject, O>(d: Declaration<T, O>): Controller<O> {
  const owns = d.owns ?? [];
  return {
    ...{ name: d.name, reconciles: d.reconciles, owns, observe: d.observe, decide: d.decide },
    ...{ account: d.account ?? `${d.name}-controller`, adopts: d.selectorOf !== undefined },
    watches: [
      watch(d.reconciles, d.keysOf ?? itself, { ...d.indexes, ...(d.selectorOf && bySelector(d.selectorOf)) }),
      ...owns.map((kind) => watchOwned(kind, d as unknown as Declaration<T, never>)),
      ...(d.watches ?? []),
    ],
    initialKeys: d.initialKeys ?? [],
    serial: d.serial === true,
    writes: d.writes ?? [],
  };
}

/** The children of an owner, from a view of an owned kind. */
export const childrenIn = <T extends ApiObject>(
  lister: Lister<T>,
  owner: ApiObject,
  selector: LabelSelectorLike | undefined,
): readonly T[] => [
  ...lister.byIndex("controller", owner.metadata.uid),
  ...(selector ? selectedBy(lister, owner.metadata.namespace, selector, "uncontrolled") : []),
];

const right = ({ kind, subresource, names, namespace, verbs }: Writes): Right => ({
  group: kind.group,
  resource: subresource === undefined ? kind.plural : `${kind.plural}/${subresource}`,
  ...(names && { names }),
  ...(namespace !== undefined && { namespace }),
  verbs,
});

/** The rights that its views need, as its declaration implies them. */
export const viewRightsOf = (c: Controller): readonly Right[] =>
  c.watches.map(({ kind }) => right({ kind, verbs: ["list", "watch"] }));

/**
 * The rights that a controller needs itself, as its declaration implies them; one entry per resource, namespace and
 * names. Events are not declared.
 */
export function rightsOf(c: Controller): readonly Right[] {
  const rights = [
    // An owner is read again before it adopts.
    ...(c.adopts ? [right({ kind: c.reconciles, verbs: ["get"] })] : []),
    ...c.owns.map((kind) => right({ kind, verbs: ["create", "delete", ...(c.adopts ? ["patch"] : [])] })),
    ...c.writes.map(right),
  ];
  const byResource = Map.groupBy(
    rights,
    ({ group, resource, names = [], namespace = "" }) => `${group}/${resource} ${namespace} ${names.join()}`,
  );
  return [...byResource.values()].map((same) => ({
    ...same[0]!,
    verbs: [...new Set(same.flatMap(({ verbs }) => verbs))].toSorted(),
  }));
}

/** After an ambiguous request: the revision to await in the view of `kind`. Retries the read until it succeeds. */
export async function settle(
  client: Client,
  kind: ResourceDefinition<any>,
  world: World,
  signal: AbortSignal,
): Promise<Revision> {
  for (;;) {
    try {
      return await client.revision(kind);
    } catch {
      // Whatever prevented the read, only reading again helps.
      await world.clock.sleep(100, signal);
    }
  }
}
