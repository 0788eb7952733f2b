// Validation rules by type, for pods and pod templates.
import type { Problem } from "../../errors.ts";
import type {
  Container,
  HTTPHeader,
  PodSchedulingGate,
  PodSchedulingGroup,
  PodSpec,
  Volume,
} from "../../generated/types.ts";
import { formats } from "../../formats.ts";
import { validateQualifiedName, validateSubdomainName } from "../../names.ts";
import { duplicate, each, invalid, together } from "../../problems.ts";
import { schemaOf } from "../../schema.ts";
import { problemsAt, type Rules } from "../../validation.ts";
import { validateRestarts } from "./validate-container.ts";
import { validateEnvFrom, validateVariable } from "./validate-env.ts";
import {
  validateAffinityTerm,
  validateConstraint,
  validateTerm,
  validateToleration,
  validateValues,
} from "./validate-placement.ts";
import { validateBundle, validateCertificate } from "./validate-projections.ts";
import { validateAppArmor, validateSeccomp } from "./validate-security.ts";
import { validateAcross, validateClaim } from "./validate-spec.ts";
import { validateCondition } from "./validate-status.ts";
import { validateTemplate } from "./validate-metadata.ts";
import { validateVolume } from "./validate-volumes.ts";
import { claimRules } from "../persistentvolumeclaims-validate.ts";

const volumeSchema = schemaOf("io.k8s.api.core.v1.Volume");
const specSchema = schemaOf("io.k8s.api.core.v1.PodSpec");

function validateSpec(spec: PodSpec, path: string): readonly Problem[] {
  const valid = new Map<string, Volume>();
  const problems = each(spec.volumes, `${path}.volumes`, (v, at) => {
    const own = problemsAt(at, volumeSchema, v, undefined, podRules);
    const all = valid.has(v.name) ? [...own, duplicate(`${at}.name`, v.name)] : own;
    if (all.length === 0) valid.set(v.name, v);
    return all;
  });
  return together(problems, validateAcross(spec, path, valid));
}

const validateContainer = (c: Container, path: string): readonly Problem[] =>
  together(validateEnvFrom(c.envFrom ?? [], `${path}.envFrom`), validateRestarts(c, path));

/** The union has this one member so far. */
const validateGroup = ({ podGroupName: name }: PodSchedulingGroup, path: string): readonly Problem[] =>
  name === undefined
    ? [invalid(`${path}.podGroupName`, null, "must specify one of: `podGroupName`")]
    : validateSubdomainName(name, `${path}.podGroupName`);

/** Rules beyond the schema, by type. */
export const podRules: Rules = {
  ...claimRules,
  AppArmorProfile: validateAppArmor,
  ClusterTrustBundleProjection: validateBundle,
  Container: validateContainer,
  EnvVar: validateVariable,
  EphemeralContainer: validateContainer,
  HTTPHeader: ({ name }: HTTPHeader, path: string) => formats["http-header-name"]!(name as never, path),
  NodeSelector: validateValues,
  NodeSelectorTerm: validateTerm,
  PodAffinityTerm: validateAffinityTerm,
  PodCondition: validateCondition,
  PodCertificateProjection: validateCertificate,
  PodResourceClaim: validateClaim,
  PodSchedulingGate: ({ name }: PodSchedulingGate, path: string) => validateQualifiedName(name, path),
  PodSchedulingGroup: validateGroup,
  PodSpec: validateSpec,
  PodTemplateSpec: validateTemplate,
  SeccompProfile: validateSeccomp,
  Toleration: validateToleration,
  TopologySpreadConstraint: validateConstraint,
  Volume: validateVolume,
};

/** Validates a pod spec at a path. */
export const validatePodSpec = (spec: PodSpec, path: string): readonly Problem[] =>
  problemsAt(path, specSchema, spec, undefined, podRules);
