// What can be wrong with a kind that users bring: its names, its versions, and how one becomes another.
import type { Problem } from "../errors.ts";
import type {
  CustomResourceConversion,
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionVersion,
} from "../generated/types.ts";
import { sameJson } from "../hash.ts";
import type { Draft } from "../meta.ts";
import { validateDns1035Label, validateSubdomainName } from "../names.ts";
import { detailOf, forbidden, invalid, required, unchanged } from "../problems.ts";
import { validateRootSchema } from "./structural-schemas-validate.ts";
import { validateCall } from "../admissionregistration/webhook-calls-validate.ts";

type Spec = CustomResourceDefinition["spec"];

const approval = "api-approved.kubernetes.io";

/** A label of RFC 1035, of which a kind may be written with capitals. */
const mixedCase = (value: string | undefined, path: string): readonly Problem[] =>
  validateDns1035Label(value?.toLowerCase(), path).map((p) =>
    invalid(path, value, `may have mixed case, but should otherwise match: ${detailOf(p)}`),
  );

function validateNames(names: Partial<CustomResourceDefinitionNames> = {}): readonly Problem[] {
  const path = "spec.names";
  const { kind, listKind } = names;
  return [
    ...mixedCase(kind, `${path}.kind`),
    ...mixedCase(listKind, `${path}.listKind`),
    ...(kind && kind === listKind
      ? [invalid(`${path}.listKind`, listKind, "kind and listKind may not be the same")]
      : []),
  ];
}

function validateGroup(group: string | undefined): readonly Problem[] {
  if (!group) return [required("spec.group")];
  const wrong = validateSubdomainName(group, "spec.group");
  return wrong.length > 0 || group.includes(".")
    ? wrong
    : [invalid("spec.group", group, "should be a domain with at least one dot")];
}

/** Groups of Kubernetes' own domains are given by those who look after its API. */
function validateApproval({ metadata, spec }: Draft<CustomResourceDefinition>): readonly Problem[] {
  const isProtected = /(^|\.)(k8s|kubernetes)\.io$/.test(spec.group ?? "");
  const path = `metadata.annotations[${approval}]`;
  return isProtected && !metadata.annotations?.[approval]
    ? [
        required(
          path,
          `protected groups must have approval annotation "${approval}", see https://github.com/kubernetes/enhancements/pull/1111`,
        ),
      ]
    : [];
}

/** Versions that are alike are told of as one, where the kind itself would say it. */
function validateSchemas(versions: readonly CustomResourceDefinitionVersion[]): readonly Problem[] {
  const schemas = versions.map((v) => v.schema?.openAPIV3Schema);
  const missing = schemas.flatMap((schema, i) =>
    schema ? [] : [required(`spec.versions[${i}].schema.openAPIV3Schema`, "schemas are required")],
  );
  const [first, ...others] = schemas;
  if (first && others.every((schema) => sameJson(schema, first)))
    return validateRootSchema(first, "spec.validation.openAPIV3Schema");
  return [
    ...missing,
    ...schemas.flatMap((schema, i) =>
      schema ? validateRootSchema(schema, `spec.versions[${i}].schema.openAPIV3Schema`) : [],
    ),
  ];
}

function validateVersions(versions: readonly CustomResourceDefinitionVersion[] = []): readonly Problem[] {
  const path = "spec.versions";
  const names = versions.map((v) => v.name);
  const stored = versions.filter((v) => v.storage).length;
  return [
    ...names.flatMap((name, i) => validateDns1035Label(name || "-", `${path}[${i}].name`)),
    ...(new Set(names).size === names.length ? [] : [invalid(path, versions, "must contain unique version names")]),
    ...(stored === 1 ? [] : [invalid(path, versions, "must have exactly one version marked as storage version")]),
    ...validateSchemas(versions),
  ];
}

function validateConversion({ strategy, webhook }: CustomResourceConversion): readonly Problem[] {
  const path = "spec.conversion";
  if (strategy !== "Webhook")
    return webhook ? [forbidden(`${path}.webhook`, "should not be set when strategy is not set to Webhook")] : [];
  if (!webhook?.clientConfig)
    return [required(`${path}.webhookClientConfig`, "required when strategy is set to Webhook")];
  return [
    ...validateCall(webhook.clientConfig, `${path}.webhookClientConfig`),
    ...(webhook.conversionReviewVersions?.length ? [] : [required(`${path}.conversionReviewVersions`)]),
  ];
}

const isEstablished = (crd: CustomResourceDefinition): boolean =>
  (crd.status?.conditions ?? []).some((c) => c.type === "Established" && c.status === "True");

const stillStored = (v: string): string =>
  `missing from spec.versions; ${v} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${v} and removes ${v} from status.storedVersions`;

/** What objects are stored under stays; so does, once there may be objects, what they are. */
const validateChange = (spec: Spec, old: CustomResourceDefinition): readonly Problem[] => [
  ...(isEstablished(old)
    ? [
        ...unchanged(spec.scope, old.spec.scope, "spec.scope"),
        ...unchanged(spec.names.kind, old.spec.names.kind, "spec.names.kind"),
      ]
    : []),
  ...unchanged(spec.group, old.spec.group, "spec.group"),
  ...unchanged(spec.names.plural, old.spec.names.plural, "spec.names.plural"),
  ...(old.status?.storedVersions ?? []).flatMap((v, i) =>
    spec.versions.some(({ name }) => name === v) ? [] : [invalid(`status.storedVersions[${i}]`, v, stillStored(v))],
  ),
];

export function validateCrd(
  draft: Draft<CustomResourceDefinition>,
  old?: CustomResourceDefinition,
): readonly Problem[] {
  const { spec } = draft;
  const { name = "" } = draft.metadata;
  return [
    ...(name === `${spec.names?.plural ?? ""}.${spec.group ?? ""}`
      ? []
      : [invalid("metadata.name", name, 'must be spec.names.plural+"."+spec.group')]),
    ...validateGroup(spec.group),
    ...validateVersions(spec.versions),
    ...validateNames(spec.names),
    ...(spec.conversion ? validateConversion(spec.conversion) : []),
    ...(spec.preserveUnknownFields && !old?.spec.preserveUnknownFields
      ? [invalid("spec.preserveUnknownFields", true, "must be false")]
      : []),
    ...(old ? validateChange(spec, old) : validateApproval(draft)),
  ];
}
