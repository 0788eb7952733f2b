// Describes what configures pods: ConfigMaps, Secrets (never their values), ServiceAccounts, PriorityClasses.
import type { ConfigMap, PriorityClass, Secret, ServiceAccount } from "../../api/generated/types.ts";
import type { Describer } from "./describer.ts";
import { annotationLines, byKey, field, inlineLabels, type Lines, labelLines, multiline } from "./layout.ts";

const bytesOf = (base64: string): number => Buffer.from(base64, "base64").length;

const identity = ({ metadata }: ConfigMap | Secret | ServiceAccount): Lines => [
  field("Name", metadata.name),
  field("Namespace", metadata.namespace),
  ...labelLines("Labels", metadata.labels),
  ...annotationLines(metadata.annotations),
];

export const configMapDescriber: Describer<ConfigMap> = {
  lines: (map) => [
    ...identity(map),
    "",
    "Data",
    "====",
    ...byKey(map.data).flatMap(([key, value]) => [`${key}:`, "----", value, ""]),
    "",
    "BinaryData",
    "====",
    ...byKey(map.binaryData).flatMap(([key, value]) => [`${key}: ${bytesOf(value)} bytes`]),
    "",
  ],
};

/** The token of a service account is shown, as in kubectl; all other values only by their length. */
export const secretDescriber: Describer<Secret> = {
  hasNoEvents: true,
  lines: (secret) => [
    ...identity(secret),
    "",
    field("Type", secret.type),
    "",
    "Data",
    "====",
    ...byKey(secret.data).map(([key, value]) => {
      const isToken = key === "token" && secret.type === "kubernetes.io/service-account-token";
      return field(key, isToken ? Buffer.from(value, "base64").toString() : `${bytesOf(value)} bytes`);
    }),
  ],
};

export const serviceAccountDescriber: Describer<ServiceAccount> = {
  lines: (account) => [
    ...identity(account),
    ...multiline(
      "Image pull secrets",
      (account.imagePullSecrets ?? []).map(({ name = "" }) => name),
    ),
  ],
};

export const priorityClassDescriber: Describer<PriorityClass> = {
  lines: ({ metadata, value, globalDefault, preemptionPolicy, description }) => [
    field("Name", metadata.name),
    field("Value", value),
    field("GlobalDefault", globalDefault === true),
    field("PreemptionPolicy", preemptionPolicy),
    field("Description", description),
    field("Annotations", inlineLabels(metadata.annotations)),
  ],
};
