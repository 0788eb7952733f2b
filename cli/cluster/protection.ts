// What `up` configures of an API server's own protection: the encryption of Secrets by a new key, and the audit log.
import { randomBytes } from "node:crypto";
import type { AuditPolicy } from "../../apiserver/audit/policy.ts";
import type { AuditOptions } from "../../apiserver/audit/recording.ts";
import { type EncryptionConfiguration, configurationKind } from "../../apiserver/storage/encryption/configuration.ts";

/** The file with the encryption's configuration and keys, in the folder of each control plane. */
export const encryptionFile = "encryption.yaml";
const keyBytes = 32;

/** Encrypts Secrets with a new key, and reads those that are not encrypted. */
export function secretsEncryption(): EncryptionConfiguration & { readonly apiVersion: string; readonly kind: string } {
  const { apiVersion, kind } = configurationKind;
  const secret = randomBytes(keyBytes).toString("base64");
  const providers = [{ aesgcm: { keys: [{ name: "key1", secret }] } }, { identity: {} }];
  return { apiVersion, kind, resources: [{ resources: ["secrets"], providers }] };
}

/** The log in a control plane's container, outside of the folder whose logs are cut. */
const auditLogPath = "/var/log/audit/audit.log";

/** Records events by a policy, up to about 1 GiB of them. */
export const auditInNode = (policy: AuditPolicy): AuditOptions => ({
  policy,
  log: { path: auditLogPath, maxSizeMiB: 100, maxBackups: 10, maxAgeDays: 0 },
});
