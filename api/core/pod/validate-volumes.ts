// Validation of the volumes of a pod.
import type { Volume } from "../../generated/types.ts";
import type { Problem } from "../../errors.ts";
import { validateSubdomainName } from "../../names.ts";
import { forbidden, none, required, together } from "../../problems.ts";
import { parseQuantity } from "../../quantity.ts";
import { validateDownwardFile } from "./downward-api.ts";
import { type Source, storageSources, validateStorageSource } from "./volume-sources.ts";
import { validateProjected } from "./validate-projections.ts";

const validateEphemeral = ({ ephemeral }: Volume, path: string): readonly Problem[] =>
  ephemeral?.volumeClaimTemplate?.metadata?.name
    ? [forbidden(`${path}.volumeClaimTemplate.metadata.name`, "must not be set in the template")]
    : [];

type Rule = (v: Volume, path: string) => readonly Problem[];
const rules: Readonly<Record<string, Rule>> = {
  emptyDir: ({ emptyDir }, path) =>
    (parseQuantity(emptyDir?.sizeLimit ?? "0")?.nano ?? 0n) < 0n
      ? [forbidden(`${path}.sizeLimit`, "SizeLimit field must be a valid resource quantity")]
      : [],
  downwardAPI: ({ downwardAPI }, path) =>
    (downwardAPI?.items ?? []).flatMap((file) => validateDownwardFile(file, path)),
  projected: ({ projected }, path) => validateProjected(projected?.sources ?? [], path),
};

const withSecrets = ["csi", "cinder", "storageos"];

function validateSource(kind: string, v: Volume, path: string): readonly Problem[] {
  if (kind === "ephemeral") return validateEphemeral(v, path);
  const source = (v as unknown as Readonly<Record<string, Source>>)[kind] ?? {};
  const secret = (source["nodePublishSecretRef"] ?? source["secretRef"]) as { readonly name?: string } | undefined;
  const field = kind === "csi" ? "nodePublishSecretRef" : "secretRef";
  const lacksName = withSecrets.includes(kind) && secret && !secret.name;
  return together(
    rules[kind]?.(v, path) ?? none,
    storageSources.includes(kind) && validateStorageSource(kind, source, path),
    lacksName && required(`${path}.${field}.name`),
    kind === "csi" && validateSubdomainName(secret?.name, `${path}.name`),
  );
}

/** Validates the source of a volume. */
export function validateVolume(v: Volume, path: string): readonly Problem[] {
  const first = Object.keys(v).find((k) => k !== "name");
  return first === undefined ? none : validateSource(first, v, `${path}.${first}`);
}
