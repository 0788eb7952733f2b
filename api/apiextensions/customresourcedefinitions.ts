// CustomResourceDefinition: a kind that users add, with its names, versions and conversion. Source: the API reference
// of apiextensions.k8s.io.
import type {
  CustomResourceConversion,
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionVersion,
} from "../generated/types.ts";
import { extension } from "../admissionregistration/match-rules.ts";
import { validateClientConfig } from "../admissionregistration/webhook-client-config.ts";
import type { Problem } from "../errors.ts";
import { sameJson } from "../hash.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { validateDns1035Label, validateDomain } from "../names.ts";
import { each, forbidden, invalid, none, required, together, unchanged } from "../problems.ts";
import { validateRootSchema } from "./structural-schemas-validate.ts";

type Crd = CustomResourceDefinition;
type Spec = Crd["spec"];

const approval = "api-approved.kubernetes.io";
const unapproved = `protected groups must have approval annotation "${approval}", see https://github.com/kubernetes/enhancements/pull/1111`;

/** Groups of Kubernetes' own domains need the approval of its API reviewers. */
const validateApproval = ({ metadata, spec }: Draft<Crd>): readonly Problem[] =>
  /(^|\.)(k8s|kubernetes)\.io$/.test(spec.group) && !metadata.annotations?.[approval]
    ? [required(`metadata.annotations[${approval}]`, unapproved)]
    : none;

/** Where all versions have the same schema, it is reported once, at the path of the v1beta1 API. */
function validateSchemas(versions: readonly CustomResourceDefinitionVersion[]): readonly Problem[] {
  const schemas = versions.map((v) => v.schema?.openAPIV3Schema);
  const [first, ...others] = schemas;
  if (first && others.every((schema) => sameJson(schema, first)))
    return validateRootSchema(first, "spec.validation.openAPIV3Schema");
  const pathOf = (i: number): string => `spec.versions[${i}].schema.openAPIV3Schema`;
  return together(
    schemas.flatMap((schema, i) => (schema ? [] : [required(pathOf(i), "schemas are required")])),
    schemas.flatMap((schema, i) => (schema ? validateRootSchema(schema, pathOf(i)) : [])),
  );
}

function validateVersions(versions: readonly CustomResourceDefinitionVersion[] = []): readonly Problem[] {
  const path = "spec.versions";
  const isUnique = new Set(versions.map(({ name }) => name)).size === versions.length;
  return together(
    each(versions, path, ({ name }, at) => validateDns1035Label(name || "-", `${at}.name`)),
    !isUnique && invalid(path, versions, "must contain unique version names"),
    versions.filter((v) => v.storage).length !== 1 &&
      invalid(path, versions, "must have exactly one version marked as storage version"),
    validateSchemas(versions),
  );
}

function validateConversion({ strategy, webhook }: CustomResourceConversion, path: string): readonly Problem[] {
  if (strategy !== "Webhook")
    return together(webhook && forbidden(`${path}.webhook`, "should not be set when strategy is not set to Webhook"));
  if (!webhook?.clientConfig)
    return [required(`${path}.webhookClientConfig`, "required when strategy is set to Webhook")];
  return together(
    validateClientConfig(webhook.clientConfig, `${path}.webhookClientConfig`),
    !webhook.conversionReviewVersions?.length && required(`${path}.conversionReviewVersions`),
  );
}

const isEstablished = ({ status }: Crd): boolean =>
  (status?.conditions ?? []).some((c) => c.type === "Established" && c.status === "True");

const stillStored = (v: string): string =>
  `missing from spec.versions; ${v} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${v} and removes ${v} from status.storedVersions`;

/** Versions of stored objects stay; once there may be objects, scope and kind stay too. */
const validateChange = (spec: Spec, old: Crd): readonly Problem[] =>
  together(
    isEstablished(old) && [
      ...unchanged(spec.scope, old.spec.scope, "spec.scope"),
      ...unchanged(spec.names.kind, old.spec.names.kind, "spec.names.kind"),
    ],
    unchanged(spec.names.plural, old.spec.names.plural, "spec.names.plural"),
    each(old.status?.storedVersions, "status.storedVersions", (v, at) =>
      spec.versions.some(({ name }) => name === v) ? none : [invalid(at, v, stillStored(v))],
    ),
  );

function validate(crd: Draft<Crd>, old?: Crd): readonly Problem[] {
  const { metadata, spec } = crd;
  const { name = "" } = metadata;
  return together(
    name !== `${spec.names.plural}.${spec.group}` &&
      invalid("metadata.name", name, 'must be spec.names.plural+"."+spec.group'),
    validateDomain(spec.group, "spec.group", 2, "one dot"),
    validateVersions(spec.versions),
    spec.conversion && validateConversion(spec.conversion, "spec.conversion"),
    spec.preserveUnknownFields &&
      !old?.spec.preserveUnknownFields &&
      invalid("spec.preserveUnknownFields", true, "must be false"),
    old ? validateChange(spec, old) : validateApproval(crd),
  );
}

const withNames = ({ names, ...spec }: Spec): Spec => ({
  ...spec,
  names: {
    ...names,
    singular: names.singular || names.kind.toLowerCase(),
    listKind: names.listKind || `${names.kind}List`,
  },
});

export const customResourceDefinitions = define<Crd>({
  ...extension,
  group: "apiextensions.k8s.io",
  kind: "CustomResourceDefinition",
  shortNames: ["crd", "crds"],
  subresources: ["status"],
  published: "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
  generation: "spec",
  defaults: (d) => ({ ...d, spec: withNames(d.spec) }),
  onCreate: (crd) => ({
    ...crd,
    status: {
      acceptedNames: { kind: "", plural: "" },
      conditions: [],
      storedVersions: (crd.spec.versions ?? []).filter((v) => v.storage).map((v) => v.name),
    },
  }),
  rules: {
    CustomResourceDefinitionNames: ({ kind, listKind }: CustomResourceDefinitionNames) =>
      kind && kind === listKind ? [invalid("listKind", listKind, "kind and listKind may not be the same")] : none,
  },
  validate,
});
