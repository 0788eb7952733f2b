// Whether the names of a CustomResourceDefinition are free, and the conditions that follow. Pure. Source: the custom
// resources page; reasons and messages are those of Kubernetes, which clients wait for.
import { withCondition } from "../../api/conditions.ts";
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionStatus,
} from "../../api/generated/types.ts";
import { sameJson } from "../../api/hash.ts";
import type { Instant } from "../../api/meta.ts";

type Names = CustomResourceDefinitionNames;
type Condition = CustomResourceDefinitionCondition;

const conditionOf = ({ status }: CustomResourceDefinition, type: string): Condition | undefined =>
  status?.conditions?.find((c) => c.type === type);
/** Whether a condition of the definition holds. */
export const holds = (crd: CustomResourceDefinition, type: string): boolean =>
  conditionOf(crd, type)?.status === "True";

const resourceNames = ({ plural, singular = "", shortNames = [] }: Names): readonly string[] =>
  [plural, singular, ...shortNames].filter((name) => name !== "");
const kindNames = ({ kind, listKind = "" }: Names): readonly string[] => [kind, listKind].filter((name) => name !== "");

/** The names that the other definitions of a group have. */
interface Taken {
  readonly resources: ReadonlySet<string>;
  readonly kinds: ReadonlySet<string>;
}

function takenBy(others: readonly CustomResourceDefinition[]): Taken {
  const accepted = others.flatMap(({ status }) => (status?.acceptedNames ? [status.acceptedNames] : []));
  return { resources: new Set(accepted.flatMap(resourceNames)), kinds: new Set(accepted.flatMap(kindNames)) };
}

/** What is wrong with the names, each with the reason of its condition; the last one is reported. */
function conflicts({ resources, kinds }: Taken, names: Names): readonly (readonly [reason: string, message: string])[] {
  const used = (name: string | undefined, taken: ReadonlySet<string>): boolean => !!name && taken.has(name);
  const inUse = (name: string | undefined): string => `${JSON.stringify(name)} is already in use`;
  const shortNames = (names.shortNames ?? []).filter((name) => used(name, resources));
  return [
    ...(used(names.plural, resources) ? [["PluralConflict", inUse(names.plural)] as const] : []),
    ...(used(names.singular, resources) ? [["SingularConflict", inUse(names.singular)] as const] : []),
    ...(shortNames.length > 0 ? [["ShortNamesConflict", shortNames.map(inUse).join(", ")] as const] : []),
    ...(used(names.kind, kinds) ? [["KindConflict", inUse(names.kind)] as const] : []),
    ...(used(names.listKind, kinds) ? [["ListKindConflict", inUse(names.listKind)] as const] : []),
  ];
}

const condition = (type: string, status: boolean, reason: string, message: string): Condition => ({
  type,
  status: status ? "True" : "False",
  reason,
  message,
});

const noConflicts = condition("NamesAccepted", true, "NoConflicts", "no conflicts found");
const established = condition("Established", true, "InitialNamesAccepted", "the initial names have been accepted");
const notAccepted = condition("Established", false, "NotAccepted", "not all names are accepted");

/** Those of the requested names that are free; the others stay as they were accepted. */
function acceptedOf(requested: Names, { resources, kinds }: Taken, before: Partial<Names> = {}): Names {
  const { plural, singular = "", kind, listKind = "", shortNames = [], ...others } = requested;
  const accepted = {
    singular: resources.has(singular) ? before.singular : singular,
    listKind: kinds.has(listKind) ? before.listKind : listKind,
    shortNames: shortNames.some((name) => resources.has(name)) ? before.shortNames : shortNames,
  };
  return {
    ...others,
    plural: resources.has(plural) ? (before.plural ?? "") : plural,
    kind: kinds.has(kind) ? (before.kind ?? "") : kind,
    ...(accepted.singular && { singular: accepted.singular }),
    ...(accepted.listKind && { listKind: accepted.listKind }),
    ...(accepted.shortNames?.length && { shortNames: accepted.shortNames }),
  };
}

/**
 * The status of a definition among the others of its group. A definition stays established, whatever names it requests
 * later.
 */
export function statusAmong(
  crd: CustomResourceDefinition,
  others: readonly CustomResourceDefinition[],
  now: Instant,
): CustomResourceDefinitionStatus {
  const taken = takenBy(others);
  const { names } = crd.spec;
  const conflict = conflicts(taken, names).at(-1);
  const namesAccepted = conflict ? condition("NamesAccepted", false, ...conflict) : noConflicts;
  const isEstablished = !conflict || holds(crd, "Established");
  const set = (all: readonly Condition[] | undefined, next: Condition): readonly Condition[] =>
    withCondition(all, next, now);
  return {
    ...crd.status,
    acceptedNames: conflict ? acceptedOf(names, taken, crd.status?.acceptedNames) : names,
    conditions: set(set(crd.status?.conditions, namesAccepted), isEstablished ? established : notAccepted),
  };
}

/** Whether writing a status would change nothing. */
export const isWritten = (crd: CustomResourceDefinition, status: CustomResourceDefinitionStatus): boolean =>
  sameJson(crd.status, status);
