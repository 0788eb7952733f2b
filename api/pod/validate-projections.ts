// What can be wrong with a volume that is put together from several sources.
import type {
  ClusterTrustBundleProjection,
  KeyToPath,
  PodCertificateProjection,
  ServiceAccountTokenProjection,
  VolumeProjection,
} from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import { forbidden, invalid, required, unsupported } from "../problems.ts";
import { projectedPath } from "./paths.ts";
import { validateDownwardFile, validateItems } from "./projected-files.ts";

interface Keyed {
  readonly name?: string;
  readonly items?: readonly KeyToPath[];
}
const validateKeyed = (source: Keyed | undefined, path: string): readonly Problem[] =>
  source === undefined
    ? []
    : [...(source.name ? [] : [required(`${path}.name`)]), ...validateItems(source.items, path)];

const shortestSeconds = 10 * 60;
const longestSeconds = 2 ** 32;

function validateToken(token: ServiceAccountTokenProjection, path: string, whole: string): readonly Problem[] {
  const { expirationSeconds: seconds = 3600 } = token;
  return [
    ...(seconds < shortestSeconds
      ? [invalid(`${path}.expirationSeconds`, seconds, "may not specify a duration less than 10 minutes")]
      : []),
    ...(seconds > longestSeconds
      ? [invalid(`${path}.expirationSeconds`, seconds, "may not specify a duration larger than 2^32 seconds")]
      : []),
    ...(token.path ? projectedPath(token.path, `${whole}.path`) : [required(`${whole}.path`)]),
  ];
}

function validateBundle(bundle: ClusterTrustBundleProjection, path: string): readonly Problem[] {
  const { labelSelector, name, signerName } = bundle;
  const chosen = (): readonly Problem[] => {
    if (name !== undefined && signerName !== undefined)
      return [invalid(path, bundle, "only one of name and signerName may be used")];
    if (name === undefined && signerName === undefined)
      return [required(path, "either name or signerName must be specified")];
    return [
      ...(name === "" ? [required(`${path}.name`, "must be a valid object name")] : []),
      ...(signerName === "" ? [required(`${path}.signerName`, "must be a valid signer name")] : []),
      ...(name !== undefined && labelSelector
        ? [invalid(`${path}.labelSelector`, labelSelector, "labelSelector must be unset if name is specified")]
        : []),
    ];
  };
  return [...chosen(), ...(bundle.path ? projectedPath(bundle.path, `${path}.path`) : [required(`${path}.path`)])];
}

const keyTypes = ["RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519"];
const certificateFiles = ["credentialBundlePath", "keyPath", "certificateChainPath"] as const;

function validateCertificate(certificate: PodCertificateProjection, path: string): readonly Problem[] {
  const { keyType, maxExpirationSeconds: seconds } = certificate;
  const files = certificateFiles.filter((field) => certificate[field]);
  return [
    ...(keyTypes.includes(keyType) ? [] : [unsupported(`${path}.keyType`, keyType, keyTypes)]),
    ...(seconds !== undefined && seconds < 3600
      ? [invalid(`${path}.maxExpirationSeconds`, seconds, "if provided, maxExpirationSeconds must be >= 3600")]
      : []),
    ...files.flatMap((field) => projectedPath(certificate[field]!, `${path}.${field}`)),
    ...(files.length === 0
      ? [required(path, "specify at least one of credentialBundlePath, keyPath, and certificateChainPath")]
      : []),
  ];
}

/** Every file a source makes, and what is shown when another makes the same one. */
function filesOf(s: VolumeProjection): readonly (readonly [file: string, shown: string])[] {
  const keyed = (source: Keyed | undefined): readonly (readonly [string, string])[] =>
    (source?.items ?? []).map((item) => [item.path, source?.name ?? ""] as const);
  const alone = [
    ...(s.downwardAPI?.items ?? []).map((item) => item.path),
    s.clusterTrustBundle?.path,
    ...certificateFiles.map((field) => s.podCertificate?.[field]),
  ];
  return [...keyed(s.secret), ...keyed(s.configMap), ...alone.flatMap((file) => (file ? [[file, file] as const] : []))];
}

const kinds = [
  "secret",
  "configMap",
  "downwardAPI",
  "serviceAccountToken",
  "clusterTrustBundle",
  "podCertificate",
] as const;

function validateSource(s: VolumeProjection, path: string, whole: string): readonly Problem[] {
  const told = kinds.filter((kind) => s[kind] !== undefined);
  return [
    ...validateKeyed(s.secret, `${path}.secret`),
    ...validateKeyed(s.configMap, `${path}.configMap`),
    ...(s.downwardAPI?.items ?? []).flatMap((file) => validateDownwardFile(file, `${path}.downwardAPI`)),
    ...(s.serviceAccountToken ? validateToken(s.serviceAccountToken, `${path}.serviceAccountToken`, whole) : []),
    ...(s.clusterTrustBundle ? validateBundle(s.clusterTrustBundle, `${path}.clusterTrustBundle`) : []),
    ...(s.podCertificate ? validateCertificate(s.podCertificate, `${path}.podCertificate`) : []),
    ...(told.length > 1 ? [forbidden(path, "may not specify more than 1 volume type per source")] : []),
  ];
}

/** What is wrong with the sources of a projected volume. */
export function validateProjected(sources: readonly VolumeProjection[], path: string): readonly Problem[] {
  const files = sources.flatMap(filesOf);
  return [
    ...sources.flatMap((s, i) => validateSource(s, `${path}.sources[${i}]`, path)),
    ...files
      .filter(([file], i) => file && files.findIndex(([other]) => other === file) < i)
      .map(([, shown]) => invalid(path, shown, "conflicting duplicate paths")),
  ];
}
