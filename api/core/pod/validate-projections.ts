// Validation of projected volumes.
import type {
  ClusterTrustBundleProjection,
  KeyToPath,
  PodCertificateProjection,
  VolumeProjection,
} from "../../generated/types.ts";
import type { Problem } from "../../errors.ts";
import { each, forbidden, invalid, none, required, together } from "../../problems.ts";
import { projectedPath } from "../../paths.ts";
import { validateDownwardFile } from "./downward-api.ts";

interface Keyed {
  readonly name?: string;
  readonly items?: readonly KeyToPath[];
}
/** A trust bundle is selected by name or by signer. */
export function validateBundle(bundle: ClusterTrustBundleProjection, path: string): readonly Problem[] {
  const { labelSelector, name, signerName } = bundle;
  if (name !== undefined && signerName !== undefined)
    return [invalid(path, bundle, "only one of name and signerName may be used")];
  if (name === undefined && signerName === undefined)
    return [required(path, "either name or signerName must be specified")];
  return together(
    name === "" && required(`${path}.name`, "must be a valid object name"),
    signerName === "" && required(`${path}.signerName`, "must be a valid signer name"),
    name !== undefined &&
      labelSelector &&
      invalid(`${path}.labelSelector`, labelSelector, "labelSelector must be unset if name is specified"),
  );
}

const certificateFiles = ["credentialBundlePath", "keyPath", "certificateChainPath"] as const;

/** A pod certificate is written to at least one file. */
export const validateCertificate = (certificate: PodCertificateProjection, path: string): readonly Problem[] =>
  certificateFiles.some((field) => certificate[field])
    ? none
    : [required(path, "specify at least one of credentialBundlePath, keyPath, and certificateChainPath")];

/** Calls `visit` with the path of every file of a source, and with the text that a conflict shows. */
function visitFiles(s: VolumeProjection, visit: (file: string | undefined, shown?: string) => void): void {
  for (const source of [s.secret, s.configMap] as readonly (Keyed | undefined)[])
    if (source?.items) for (const item of source.items) visit(item.path, source.name ?? "");
  if (s.downwardAPI?.items) for (const item of s.downwardAPI.items) visit(item.path);
  visit(s.clusterTrustBundle?.path);
  if (s.podCertificate) for (const field of certificateFiles) visit(s.podCertificate[field]);
}

const kinds = [
  "secret",
  "configMap",
  "downwardAPI",
  "serviceAccountToken",
  "clusterTrustBundle",
  "podCertificate",
] as const;

function validateSource(s: VolumeProjection, path: string, volumePath: string): readonly Problem[] {
  const { serviceAccountToken: token } = s;
  let kindsSet = 0;
  for (const kind of kinds) if (s[kind] !== undefined) kindsSet++;
  return together(
    each(s.downwardAPI?.items, "", (file) => validateDownwardFile(file, `${path}.downwardAPI`)),
    token && (token.path ? projectedPath(token.path, `${volumePath}.path`) : required(`${volumePath}.path`)),
    kindsSet > 1 && forbidden(path, "may not specify more than 1 volume type per source"),
  );
}

/** Validates the sources of a projected volume, whose files have distinct paths. */
export function validateProjected(sources: readonly VolumeProjection[], path: string): readonly Problem[] {
  const seen = new Set<string>();
  const conflicts: Problem[] = [];
  for (const source of sources)
    visitFiles(source, (file, shown = file) => {
      if (!file) return;
      if (seen.has(file)) conflicts.push(invalid(path, shown, "conflicting duplicate paths"));
      seen.add(file);
    });
  return together(
    each(sources, `${path}.sources`, (s, at) => validateSource(s, at, path)),
    conflicts,
  );
}
