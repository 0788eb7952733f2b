// Validation of a pod spec across its fields, in a pod or in a template.
import type { Container, PodResourceClaim, PodSpec, Volume } from "../../generated/types.ts";
import type { Problem } from "../../errors.ts";
import { each, forbidden, invalid, none, notFound, together } from "../../problems.ts";
import { validateContainerResourceName, validateAmount } from "../../resource-names.ts";
import { validateContainers, validateEphemeral, validateInitContainers } from "./validate-container.ts";
import { validateDns } from "./validate-dns.ts";
import { validateOs } from "./validate-os.ts";
import { validateSpread } from "./validate-placement.ts";
import { validatePodResources } from "./validate-resources.ts";
import { validateHostUsers, validatePodSecurity } from "./validate-security.ts";

/** A claim refers to an existing one or to a template. */
export function validateClaim(claim: PodResourceClaim, path: string): readonly Problem[] {
  const { resourceClaimName: existing, resourceClaimTemplateName: template } = claim;
  if ((existing === undefined) !== (template === undefined)) return none;
  return existing === undefined
    ? [invalid(path, claim, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`")]
    : [invalid(path, claim, "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified")];
}

/** With the host network, host ports equal container ports; a template may omit them. */
function validateHostNetwork({ hostNetwork, containers }: PodSpec, path: string): readonly Problem[] {
  if (!hostNetwork) return [];
  return containers.flatMap((c, i) =>
    (c.ports ?? []).flatMap((p, j) => {
      if (!p.hostPort || p.hostPort === p.containerPort) return [];
      const at = `${path}.containers[${i}].ports[${j}].hostPort`;
      return [invalid(at, p.hostPort, "must match `containerPort` when `hostNetwork` is true")];
    }),
  );
}

function validateHostname(spec: PodSpec, path: string): readonly Problem[] {
  const { hostnameOverride: name } = spec;
  const at = `${path}.hostnameOverride`;
  return together(
    name !== undefined &&
      spec.setHostnameAsFQDN &&
      forbidden(at, "may not be specified when setHostnameAsFQDN is true"),
    name !== undefined && spec.hostNetwork && forbidden(at, "may not be specified when hostNetwork is true"),
  );
}

/** A variable can be read from a file of an emptyDir volume only. */
function validateFileKeys(spec: PodSpec, path: string): readonly Problem[] {
  const inList = (list: readonly Container[] | undefined, at: string): readonly Problem[] =>
    each(list, `${path}.${at}`, (c, where) =>
      each(c.env, `${where}.env`, (e, place) => {
        const name = e.valueFrom?.fileKeyRef?.volumeName;
        if (name === undefined) return none;
        const field = `${place}.valueFrom.fileKeyRef.volumeName`;
        const volume = spec.volumes?.find((v) => v.name === name);
        if (!volume) return [notFound(field, name)];
        return volume.emptyDir ? [] : [invalid(field, name, "referenced volume must be of type emptyDir")];
      }),
    );
  return together(inList(spec.initContainers, "initContainers"), inList(spec.containers, "containers"));
}

type Volumes = ReadonlyMap<string, Volume>;

function validateAllContainers(spec: PodSpec, path: string, volumes: Volumes): readonly Problem[] {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = spec;
  const pod = {
    volumes,
    claims: (spec.resourceClaims ?? []).map((claim) => claim.name),
    restartPolicy: spec.restartPolicy ?? "Always",
    hostUsers: spec.hostUsers !== false,
    graceSeconds: spec.terminationGracePeriodSeconds,
    os: spec.os?.name,
  };
  return together(
    validateContainers(containers, `${path}.containers`, pod),
    validateInitContainers(initContainers, containers, `${path}.initContainers`, pod),
    validateEphemeral(ephemeralContainers, [...containers, ...initContainers], `${path}.ephemeralContainers`, pod),
  );
}

const validateOverhead = (overhead: Readonly<Record<string, string>>, path: string): readonly Problem[] =>
  Object.entries(overhead).flatMap(([name, text]) =>
    together(validateContainerResourceName(name, `${path}[${name}]`), validateAmount(name, text, `${path}[${name}]`)),
  );

/** Validates a pod spec across its fields; `volumes` are the valid ones. */
export const validateAcross = (spec: PodSpec, path: string, volumes: Volumes): readonly Problem[] =>
  together(
    validateAllContainers(spec, path, volumes),
    validatePodResources(spec, path),
    validateHostNetwork(spec, path),
    validateDns(spec, path),
    validatePodSecurity(spec, `${path}.securityContext`),
    validateSpread(spec.topologySpreadConstraints ?? [], `${path}.topologySpreadConstraints`),
    validateHostUsers(spec, path),
    validateHostname(spec, path),
    spec.overhead && validateOverhead(spec.overhead, `${path}.overhead.limits`),
    validateOs(spec, path),
    validateFileKeys(spec, path),
  );
