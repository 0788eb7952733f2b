// Describes who may do what: Roles and their bindings, and CertificateSigningRequests.
import type { CertificateSigningRequest, Role, RoleBinding } from "../../api/generated/types.ts";
import { age } from "../../api/age.ts";
import { instant } from "../../api/meta.ts";
import type { Describer } from "./describer.ts";
import {
  annotationLines,
  columnEnd,
  field,
  indented,
  inlineLabels,
  type Lines,
  labelLines,
  multiline,
  table,
  timeText,
} from "./layout.ts";
import { ruleHeader, ruleRows } from "./rules.ts";

export const roleDescriber: Describer<Role> = {
  hasNoEvents: true,
  lines: ({ metadata, rules }) => [
    field("Name", metadata.name),
    ...labelLines("Labels", metadata.labels),
    ...annotationLines(metadata.annotations),
    "PolicyRule:",
    ...indented(table(ruleHeader, ruleRows(rules ?? []))),
  ],
};

export const bindingDescriber: Describer<RoleBinding> = {
  hasNoEvents: true,
  lines: ({ metadata, roleRef, subjects = [] }) => [
    field("Name", metadata.name),
    ...labelLines("Labels", metadata.labels),
    ...annotationLines(metadata.annotations),
    "Role:",
    `  ${field("Kind", roleRef.kind)}`,
    `  ${field("Name", roleRef.name)}`,
    "Subjects:",
    ...indented(
      table(
        ["Kind", "Name", "Namespace"],
        subjects.map(({ kind, name, namespace = "" }) => [kind, name, namespace]),
      ),
    ),
  ],
};

/** The parts of a certificate request that are shown. */
interface Subject {
  readonly names: readonly (readonly [name: string, values: readonly string[]])[];
  readonly alternatives: readonly (readonly [name: string, values: readonly string[]])[];
}

async function subjectOf(request: string): Promise<Subject> {
  await import("reflect-metadata");
  const { Pkcs10CertificateRequest, SubjectAlternativeNameExtension } = await import("@peculiar/x509");
  const { subjectName, extensions } = new Pkcs10CertificateRequest(Buffer.from(request, "base64").toString());
  const found = extensions.find((extension) => extension instanceof SubjectAlternativeNameExtension);
  const names = found?.names.items ?? [];
  const ofType = (type: string): readonly string[] => names.filter((n) => n.type === type).map(({ value }) => value);
  const field = (name: string): readonly string[] => subjectName.getField(name);
  return {
    names: [
      ["Common Name", [field("CN")[0] ?? ""]],
      ["Serial Number", [field("2.5.4.5")[0] ?? ""]],
      ["Organization", field("O")],
      ["Organizational Unit", field("OU")],
      ["Country", field("C")],
      ["Locality", field("L")],
      ["Province", field("ST")],
      ["StreetAddress", field("2.5.4.9")],
      ["PostalCode", field("2.5.4.17")],
    ],
    alternatives: [
      ["DNS Names", ofType("dns")],
      ["Email Addresses", ofType("email")],
      ["URIs", ofType("url")],
      ["IP Addresses", ofType("ip")],
    ],
  };
}

function statusText({ status }: CertificateSigningRequest): string {
  const types = (status?.conditions ?? []).map(({ type }) => type);
  const decision = types.includes("Denied") ? "Denied" : types.includes("Approved") ? "Approved" : "Pending";
  return [decision, ...(types.includes("Failed") ? ["Failed"] : []), ...(status?.certificate ? ["Issued"] : [])].join(
    ",",
  );
}

const listed = (entries: Subject["names"]): Lines =>
  entries.flatMap(([name, values]) => (values.length === 0 ? [] : multiline(name, values)));

export const certificateRequestDescriber: Describer<CertificateSigningRequest, Subject> = {
  related: ({ spec }) => subjectOf(spec.request),
  lines: (request, { related }) => {
    const { metadata, spec } = request;
    const alternatives = listed(related.alternatives);
    const { expirationSeconds } = spec;
    return [
      field("Name", metadata.name),
      field("Labels", inlineLabels(metadata.labels)),
      field("Annotations", inlineLabels(metadata.annotations)),
      field("CreationTimestamp", timeText(metadata.creationTimestamp)),
      field("Requesting User", spec.username),
      ...(spec.signerName ? [field("Signer", spec.signerName)] : []),
      ...(expirationSeconds ? [field("Requested Duration", age(instant(0), instant(expirationSeconds * 1000)))] : []),
      field("Status", statusText(request)),
      "Subject:",
      ...listed(related.names).map((line) => `  ${line}`),
      ...(alternatives.length === 0
        ? []
        : ["Subject Alternative Names:", ...alternatives.map((line) => `         ${line}`), columnEnd]),
    ];
  },
};
