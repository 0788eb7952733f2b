// Validation of certificate signing requests, their conditions and the issued certificate.
import type { Problem } from "../errors.ts";
import type { CertificateSigningRequest, CertificateSigningRequestCondition } from "../generated/types.ts";
import type { Draft } from "../meta.ts";
import { duplicate, each, forbidden, invalid, required, together, unsupported } from "../problems.ts";
import { valuesOf } from "../schema.ts";
import { validateSignerName } from "./signer-names.ts";

/** The types of the PEM blocks of a text, in order. */
function pemBlocks(text: string): readonly { readonly type: string; readonly hasHeaders: boolean }[] {
  const block = /-----BEGIN ([^\n-]*)-----\s*\n([\s\S]*?)-----END \1-----/g;
  return [...text.matchAll(block)].map(([, type = "", body = ""]) => ({ type, hasHeaders: body.includes(":") }));
}

/** Undefined when the text is not base64. */
function fromBase64(text: string): string | undefined {
  try {
    return atob(text);
  } catch {
    // The caller reports the missing PEM block.
    return undefined;
  }
}

const legacySigner = "kubernetes.io/legacy-unknown";
function validateRequest(request: string): readonly Problem[] {
  const [first] = pemBlocks(fromBase64(request) ?? "");
  return first?.type === "CERTIFICATE REQUEST"
    ? []
    : [invalid("spec.request", request, "PEM block type must be CERTIFICATE REQUEST")];
}

/** Validates a new request. */
export function validateRequested({ spec }: Draft<CertificateSigningRequest>): readonly Problem[] {
  const { signerName } = spec;
  return together(
    validateRequest(spec.request ?? ""),
    signerName === legacySigner
      ? invalid("spec.signerName", signerName, "the legacy signerName is not allowed via this API version")
      : validateSignerName(signerName, "spec.signerName"),
  );
}

/** Conditions whose status is always True. */
const decisionTypes = ["Approved", "Denied", "Failed"];
const statuses = valuesOf("io.k8s.api.certificates.v1.CertificateSigningRequestCondition", "status");
const conditionsPath = "status.conditions";

function validateStatusOf({ type, status }: CertificateSigningRequestCondition, path: string): readonly Problem[] {
  if (!status) return [required(path)];
  const allowed = decisionTypes.includes(type) ? ["True"] : statuses;
  return allowed.includes(status) ? [] : [unsupported(path, status, allowed)];
}

function validateConditions(all: readonly CertificateSigningRequestCondition[]): readonly Problem[] {
  const opposite: Readonly<Record<string, string>> = { Approved: "Denied", Denied: "Approved" };
  return each(all, conditionsPath, (c, path, i) => {
    const before = all.slice(0, i);
    const clashes = before.some((b) => b.type === opposite[c.type]);
    return together(
      !c.type && required(`${path}.type`),
      validateStatusOf(c, `${path}.status`),
      clashes && invalid(`${path}.type`, c.type, "Approved and Denied conditions are mutually exclusive"),
      before.some((b) => b.type === c.type) && duplicate(`${path}.type`, c.type),
    );
  });
}

function validateCertificate(certificate: string): readonly Problem[] {
  const blocks = pemBlocks(fromBase64(certificate) ?? "");
  const other = blocks.find(({ type }) => type !== "CERTIFICATE");
  const fault = other
    ? `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(other.type)}`
    : blocks.some(({ hasHeaders }) => hasHeaders)
      ? "no PEM block headers are permitted"
      : blocks.length === 0
        ? "must contain at least one CERTIFICATE PEM block"
        : undefined;
  return fault === undefined ? [] : [invalid("status.certificate", "<certificate data>", fault)];
}

/** Validates a status: decisions cannot be withdrawn, and an issued certificate is immutable. */
export function validateDecided(next: CertificateSigningRequest, old: CertificateSigningRequest): readonly Problem[] {
  const { conditions = [], certificate = "" } = next.status ?? {};
  const { conditions: before = [], certificate: issued = "" } = old.status ?? {};
  const removed = decisionTypes.filter(
    (type) => before.some((c) => c.type === type) && !conditions.some((c) => c.type === type),
  );
  return together(
    validateConditions(conditions),
    certificate !== issued && certificate !== "" && validateCertificate(certificate),
    removed.map((type) =>
      forbidden(conditionsPath, `updates may not remove a condition of type ${JSON.stringify(type)}`),
    ),
    issued !== "" &&
      certificate !== issued &&
      forbidden("status.certificate", "updates may not modify existing certificate content"),
  );
}
