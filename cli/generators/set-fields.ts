// `set image`, `set resources`, `set serviceaccount`, `set selector` and `set subject`: objects after the change.
import type { ApiObject } from "../../api/meta.ts";
import { sameJson } from "../../api/hash.ts";
import { CliError } from "../cli-error.ts";
import { type Container, matchesName, podSpecOf, withContainers, withPodSpec } from "./pod-template.ts";
import { labelSelectorOf } from "./policies.ts";
import type { Subject } from "./rbac.ts";

/** Images by container name; `*` stands for all. */
export type Images = Readonly<Record<string, string>>;

/** The images of `CONTAINER=IMAGE` arguments. */
export function imagesOf(pairs: readonly string[]): Images {
  if (pairs.length === 0) throw new CliError("at least one image update is required");
  const images = Object.fromEntries(
    pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]),
  );
  if (images["*"] !== undefined && Object.keys(images).length > 1)
    throw new CliError(
      "all containers are already specified by *, but saw more than one container_name=container_image pairs",
    );
  return images;
}

const allContainers = (object: ApiObject): readonly Container[] => {
  const { containers, initContainers = [] } = podSpecOf(object);
  return [...containers, ...initContainers];
};

/** The object with other images. Throws CliError for containers it does not have. */
export function withImages(object: ApiObject, images: Images): ApiObject {
  const names = allContainers(object).map(({ name }) => name);
  for (const name of Object.keys(images))
    if (name !== "*" && !names.includes(name)) throw new CliError(`unable to find container named "${name}"`);
  return withPodSpec(object, (spec) =>
    withContainers(spec, (container) => {
      const image = images[container.name] ?? images["*"];
      return image === undefined ? container : { ...container, image };
    }),
  );
}

type Amounts = Readonly<Record<string, string>> | undefined;

/** The object with other limits and requests of the containers that match. */
export function withResources(
  object: ApiObject,
  pattern: string,
  amounts: { readonly limits: Amounts; readonly requests: Amounts },
): ApiObject {
  if (!allContainers(object).some(({ name }) => matchesName(pattern, name)))
    throw new CliError(`unable to find container named ${pattern}`);
  const { limits, requests } = amounts;
  return withPodSpec(object, (spec) =>
    withContainers(spec, (container) => {
      if (!matchesName(pattern, container.name)) return container;
      const { resources = {} } = container;
      return {
        ...container,
        resources: {
          ...resources,
          ...(limits && { limits: { ...resources["limits"], ...limits } }),
          ...(requests && { requests: { ...resources["requests"], ...requests } }),
        },
      };
    }),
  );
}

/** The object whose pods run as another service account. */
export const withServiceAccount = (object: ApiObject, serviceAccountName: string): ApiObject =>
  withPodSpec(object, (spec) => ({ ...spec, serviceAccountName }));

/** The labels of a selector's text. Throws CliError for expressions, which services do not have. */
export function selectorLabels(text: string): Readonly<Record<string, string>> {
  const { matchLabels = {}, matchExpressions = [] } = labelSelectorOf(text);
  if (matchExpressions.length === 0) return matchLabels;
  const shown = matchExpressions.map((e) => `{${e.key} ${e.operator} [${(e.values ?? []).join(" ")}]}`);
  throw new CliError(`match expression [${shown.join(" ")}] not supported on this object`);
}

/** The service with another selector. Throws CliError for other kinds. */
export function withSelector(object: ApiObject, selector: Readonly<Record<string, string>>): ApiObject {
  if (object.kind !== "Service") throw new CliError("setting a selector is only supported for Services");
  const { spec } = object as ApiObject & { readonly spec: object };
  return { ...object, spec: { ...spec, selector } } as ApiObject;
}

/** The binding with more subjects. Throws CliError for other kinds. */
export function withSubjects(object: ApiObject, more: readonly Subject[]): ApiObject {
  if (!["RoleBinding", "ClusterRoleBinding"].includes(object.kind))
    throw new CliError("setting subjects is only supported for RoleBinding/ClusterRoleBinding");
  const { subjects = [] } = object as ApiObject & { readonly subjects?: readonly Subject[] };
  const added = more.filter((subject) => !subjects.some((other) => sameJson(other, subject)));
  return { ...object, subjects: [...subjects, ...added] } as ApiObject;
}
