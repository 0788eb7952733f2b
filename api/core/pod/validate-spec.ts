// What can be wrong with what a pod is to be, in a pod or in a template of pods.
import type { Container, PodResourceClaim, PodSpec } from "../../generated/types.ts";
import { validateOldAddress } from "../../addresses-validate.ts";
import type { Problem } from "../../errors.ts";
import { validateLabelName, validateLabels, validateQualifiedName, validateSubdomainName } from "../../names.ts";
import {
  duplicate,
  each,
  forbidden,
  inRange,
  invalid,
  none,
  notFound,
  oneOf,
  required,
  together,
  tooLong,
} from "../../problems.ts";
import { validateContainerResourceName, validateAmount } from "../../resource-names.ts";
import { validateContainers, validateEphemeral, validateInitContainers } from "./validate-container.ts";
import { validateDns } from "./validate-dns.ts";
import { validateSystem } from "./validate-os.ts";
import { validateAffinity, validateSpread, validateTolerations } from "./validate-placement.ts";
import { validatePodResources } from "./validate-resources.ts";
import { validateHostUsers, validatePodSecurity } from "./validate-security.ts";
import { validateVolumes } from "./validate-volumes.ts";

const restartPolicies = ["Always", "OnFailure", "Never"];
const mostSeconds = 2 ** 31 - 1;

function validateClaims(claims: readonly PodResourceClaim[], path: string): readonly Problem[] {
  return claims.flatMap((claim, i) => {
    const at = `${path}[${i}]`;
    const { name, resourceClaimName: made, resourceClaimTemplateName: template } = claim;
    const again = claims.findIndex((c) => c.name === name) < i;
    return [
      ...(name
        ? again
          ? [duplicate(`${at}.name`, name)]
          : validateLabelName(name, `${at}.name`)
        : [required(`${at}.name`)]),
      ...(made !== undefined && template !== undefined
        ? [invalid(at, claim, "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified")]
        : []),
      ...(made === undefined && template === undefined
        ? [invalid(at, claim, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`")]
        : []),
      ...validateSubdomainName(made, `${at}.resourceClaimName`),
      ...validateSubdomainName(template, `${at}.resourceClaimTemplateName`),
    ];
  });
}

/** Who shares the node's network has its ports, too; a template may leave that unsaid. */
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
  return [
    ...(name !== undefined && spec.setHostnameAsFQDN
      ? [forbidden(at, "may not be specified when setHostnameAsFQDN is true")]
      : []),
    ...(name !== undefined && spec.hostNetwork ? [forbidden(at, "may not be specified when hostNetwork is true")] : []),
    ...(name !== undefined && name.length > 64 ? [tooLong(at, 64)] : []),
    ...validateSubdomainName(name, at),
    ...validateLabelName(spec.hostname, `${path}.hostname`),
    ...validateLabelName(spec.subdomain, `${path}.subdomain`),
    ...(spec.hostAliases ?? []).flatMap(({ ip, hostnames = [] }, i) => [
      ...validateOldAddress(ip, `${path}.hostAliases[${i}].ip`),
      ...hostnames.flatMap((host, j) => validateSubdomainName(host, `${path}.hostAliases[${i}].hostnames[${j}]`)),
    ]),
  ];
}

/** Conditions that others set, and gates that others open. */
const validateGates = ({ readinessGates = [], schedulingGates = [] }: PodSpec, path: string): readonly Problem[] => [
  ...readinessGates.flatMap((gate, i) =>
    validateQualifiedName(gate.conditionType, `${path}.readinessGates[${i}].conditionType`),
  ),
  ...schedulingGates.flatMap(({ name }, i) => [
    ...validateQualifiedName(name, `${path}.schedulingGates[${i}]`),
    ...(schedulingGates.findIndex((gate) => gate.name === name) < i
      ? [duplicate(`${path}.schedulingGates[${i}]`, name)]
      : []),
  ]),
];

const references = (spec: PodSpec, path: string): readonly Problem[] => [
  ...validateSubdomainName(spec.serviceAccountName, `${path}.serviceAccountName`),
  ...validateSubdomainName(spec.nodeName, `${path}.nodeName`),
  ...validateSubdomainName(spec.priorityClassName, `${path}.priorityClassName`),
  ...validateSubdomainName(spec.runtimeClassName, `${path}.runtimeClassName`),
];

/** A variable can be read from a file only where the pod itself writes files. */
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

function validateAllContainers(spec: PodSpec, path: string): readonly Problem[] {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = spec;
  const { problems, sound } = validateVolumes(spec.volumes ?? [], `${path}.volumes`);
  const pod = {
    volumes: sound,
    claims: (spec.resourceClaims ?? []).map((claim) => claim.name),
    restartPolicy: spec.restartPolicy ?? "Always",
    hostUsers: spec.hostUsers !== false,
    graceSeconds: spec.terminationGracePeriodSeconds,
    os: spec.os?.name,
  };
  return together(
    problems,
    validateClaims(spec.resourceClaims ?? [], `${path}.resourceClaims`),
    validateContainers(containers, `${path}.containers`, pod),
    validateInitContainers(initContainers, containers, `${path}.initContainers`, pod),
    validateEphemeral(ephemeralContainers, [...containers, ...initContainers], `${path}.ephemeralContainers`, pod),
  );
}

const validateOverhead = (overhead: Readonly<Record<string, string>>, path: string): readonly Problem[] =>
  Object.entries(overhead).flatMap(([name, text]) => [
    ...validateContainerResourceName(name, `${path}[${name}]`),
    ...validateAmount(name, text, `${path}[${name}]`),
  ]);

/** Shared by pods and pod templates; `path` is where the spec stands. */
export function validatePodSpec(spec: PodSpec, path: string): readonly Problem[] {
  return together(
    validateAllContainers(spec, path),
    validatePodResources(spec, path),
    validateHostNetwork(spec, path),
    oneOf(spec.restartPolicy, `${path}.restartPolicy`, restartPolicies),
    validateDns(spec, path),
    validateLabels(spec.nodeSelector, `${path}.nodeSelector`),
    validatePodSecurity(spec, `${path}.securityContext`),
    validateAffinity(spec.affinity, `${path}.affinity`),
    validateGates(spec, path),
    validateSpread(spec.topologySpreadConstraints ?? [], `${path}.topologySpreadConstraints`),
    validateHostUsers(spec, path),
    validateHostname(spec, path),
    references(spec, path),
    inRange(spec.activeDeadlineSeconds, `${path}.activeDeadlineSeconds`, 1, mostSeconds),
    validateTolerations(spec.tolerations ?? [], `${path}.tolerations`),
    oneOf(spec.preemptionPolicy, `${path}.preemptionPolicy`, ["PreemptLowerPriority", "Never"]),
    spec.overhead ? validateOverhead(spec.overhead, `${path}.overhead.limits`) : none,
    validateSystem(spec, path),
    validateFileKeys(spec, path),
  );
}
