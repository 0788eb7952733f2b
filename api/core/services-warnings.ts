// Warnings about valid services: deprecated and ignored fields, and non-canonical addresses.
import { addressWarnings, blockWarnings } from "../addresses-validate.ts";
import type { Service } from "../generated/types.ts";
import type { Draft } from "../meta.ts";
import { isHeadless } from "./services-types.ts";

const hintsAnnotation = "service.kubernetes.io/topology-aware-hints";
const modeAnnotation = "service.kubernetes.io/topology-mode";

function ignored({ spec }: Draft<Service>): readonly string[] {
  const headless = spec.type === "ClusterIP" && spec.clusterIP === "None";
  const hasExternalIps = (spec.externalIPs ?? []).length > 0;
  return [
    ...(headless && spec.loadBalancerIP ? ["spec.loadBalancerIP is ignored for headless services"] : []),
    ...(headless && hasExternalIps ? ["spec.externalIPs is ignored for headless services"] : []),
    ...(headless && spec.sessionAffinity !== "None" ? ["spec.SessionAffinity is ignored for headless services"] : []),
  ];
}

/** Texts of Warning headers. */
export function serviceWarnings(service: Draft<Service>): readonly string[] {
  const { metadata, spec } = service;
  const { externalIPs = [], clusterIPs = [], loadBalancerIP, loadBalancerSourceRanges = [] } = spec;
  const isExternal = spec.type === "ExternalName";
  const warningsOf = (field: string, list: readonly string[]): readonly string[] =>
    list.flatMap((ip, i) => addressWarnings(ip, `spec.${field}[${i}]`));
  return [
    ...(metadata.annotations?.[hintsAnnotation] === undefined
      ? []
      : [`annotation ${hintsAnnotation} is deprecated, please use ${modeAnnotation} instead`]),
    ...(isHeadless(service) ? [] : warningsOf("clusterIPs", clusterIPs)),
    ...ignored(service),
    ...(externalIPs.length > 0 ? ["spec.externalIPs is deprecated"] : []),
    ...warningsOf("externalIPs", externalIPs),
    ...(loadBalancerIP ? addressWarnings(loadBalancerIP, "spec.loadBalancerIP") : []),
    ...loadBalancerSourceRanges.flatMap((range, i) => blockWarnings(range, `spec.loadBalancerSourceRanges[${i}]`)),
    ...(isExternal && externalIPs.length > 0 ? ['spec.externalIPs is ignored when spec.type is "ExternalName"'] : []),
    ...(!isExternal && spec.externalName ? ['spec.externalName is ignored when spec.type is not "ExternalName"'] : []),
    ...(spec.trafficDistribution === "PreferClose"
      ? ['spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"']
      : []),
  ];
}
