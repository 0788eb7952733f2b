// What checks of pods have in common: the containers of a pod, who sets a field, and the wording of violations. Pure.
import type {
  Container,
  EphemeralContainer,
  PodSecurityContext,
  PodSpec,
  SecurityContext,
} from "../../../api/generated/types.ts";
import type { ApiObject } from "../../../api/meta.ts";

/** What is checked: a pod, or the template of pods. */
export interface PodTemplate {
  readonly metadata?: Pick<ApiObject["metadata"], "annotations"> | undefined;
  readonly spec: PodSpec;
}
/** What is wrong, in few words and in detail. */
export interface Violation {
  readonly reason: string;
  readonly detail: string;
}
/** Finds a violation of one rule. */
export type Check = (pod: PodTemplate) => Violation | undefined;
export type AnyContainer = Container | EphemeralContainer;

/** All containers, in the order in which messages name them. */
export const containersOf = (spec: PodSpec): readonly AnyContainer[] => [
  ...(spec.initContainers ?? []),
  ...(spec.containers ?? []),
  ...(spec.ephemeralContainers ?? []),
];

/** `"a", "b"`. The texts are not escaped. */
export const joined = (texts: readonly string[]): string => texts.map((text) => `"${text}"`).join(", ");
/** The word for this number of things. */
export const plural = (count: number, one: string, many = `${one}s`): string => (count === 1 ? one : many);
/** Each text once, in order. */
export const distinct = (texts: readonly string[]): readonly string[] => [...new Set(texts)].toSorted();
/** `containers "a", "b"`. */
export const namedContainers = (names: readonly string[]): string =>
  `${plural(names.length, "container")} ${joined(names)}`;

type Context = Pick<SecurityContext, keyof SecurityContext & keyof PodSecurityContext>;
/** The values of a field that are not allowed, and who sets them: the pod, its containers, or both. */
export interface Setters<T> {
  readonly setters: string;
  readonly values: readonly T[];
}
/** Who sets a field of a security context to a value that is not allowed. A field that is not set is allowed. */
export function settersOf<F extends keyof SecurityContext>(
  spec: PodSpec,
  field: F,
  isAllowed: (value: NonNullable<SecurityContext[F]>) => boolean,
): Setters<NonNullable<SecurityContext[F]>> | undefined {
  const wrong = (context: Partial<Context> | undefined) => {
    const value = (context as SecurityContext | undefined)?.[field];
    return value === undefined || value === null || isAllowed(value) ? [] : [value as NonNullable<SecurityContext[F]>];
  };
  const ofPod = wrong(spec.securityContext);
  const ofContainers = containersOf(spec).flatMap(({ name, securityContext }) =>
    wrong(securityContext).map((value) => ({ name, value })),
  );
  if (ofPod.length + ofContainers.length === 0) return undefined;
  const names = ofContainers.map(({ name }) => name);
  const setters = [...(ofPod.length > 0 ? ["pod"] : []), ...(names.length > 0 ? [namedContainers(names)] : [])];
  return { setters: setters.join(" and "), values: [...ofPod, ...ofContainers.map(({ value }) => value)] };
}

/** The names of the containers for which this holds. */
export const containersWhere = (spec: PodSpec, holds: (container: AnyContainer) => boolean): readonly string[] =>
  containersOf(spec)
    .filter(holds)
    .map(({ name }) => name);

/** Whether the pod is in a user namespace: root in it is nobody on the node. */
export const isInUserNamespace = ({ spec }: PodTemplate): boolean => spec.hostUsers === false;
